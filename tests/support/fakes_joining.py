"""What the joining of hospitals needs of the world, in memory."""

from dataclasses import replace


class FakeHospitalKeys:
    def __init__(self):
        self.known = {}

    def get(self, hospital_id, kid):
        return self.known.get((hospital_id, kid))

    def of(self, hospital_id):
        return tuple(key for key in self.known.values() if key.hospital_id == hospital_id)

    def add(self, key, beside=""):
        other = self.get(key.hospital_id, beside)
        if (key.hospital_id, key.key.kid) in self.known or (beside and not (other and other.is_live)):
            return False
        self.known[key.hospital_id, key.key.kid] = key
        return True

    def end(self, key):
        standing = self.known.get((key.hospital_id, key.key.kid), key)
        if standing.is_live or standing is key:
            self.known[key.hospital_id, key.key.kid] = replace(standing, ended_at=key.ended_at, ended_by=key.ended_by)


class FakeJoiningCodes:
    def __init__(self):
        self.known = {}

    def get(self, hospital_id):
        return self.known.get(hospital_id)

    def put(self, code):
        self.known[code.hospital_id] = code

    def take_try(self, hospital_id, typed, now):
        code = self.known.get(hospital_id)
        if code is None or not code.may_be_tried(typed, now):
            return None
        self.known[hospital_id] = replace(code, tries=code.tries + 1)
        return self.known[hospital_id]

    def use_up(self, code):
        standing = self.known.get(code.hospital_id)
        return bool(standing and standing.name == code.name and self.known.pop(code.hospital_id))

    def void(self, hospital_id):
        self.known.pop(hospital_id, None)
