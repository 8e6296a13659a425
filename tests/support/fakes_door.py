"""What the door needs of the world, in memory."""


class FakeSpentTokens:
    def __init__(self):
        self.spent = {}

    def spend(self, issuer, jti, expires_at):
        if (issuer, jti) in self.spent:
            return False
        self.spent[issuer, jti] = expires_at
        return True
