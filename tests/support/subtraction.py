"""What follows from published sums by adding and subtracting them: linear algebra over a large prime, exactly."""

PRIME = (1 << 61) - 1


class Published:
    """Sums of unknowns that are told. An unknown is anything hashable and sortable."""

    def __init__(self):
        self._rows = {}

    def tell(self, unknowns):
        """That the sum of these is known."""
        row = self._left(dict.fromkeys(unknowns, 1))
        if row:
            first = min(row)
            inverse = pow(row[first], PRIME - 2, PRIME)
            self._rows[first] = {name: value * inverse % PRIME for name, value in row.items()}

    def follows(self, unknowns):
        """Whether the sum of these is known by what was told."""
        return not self._left(dict.fromkeys(unknowns, 1))

    def _left(self, row):
        while known := [name for name in row if name in self._rows]:
            first = min(known)
            factor = row[first]
            for name, value in self._rows[first].items():
                row[name] = (row.get(name, 0) - factor * value) % PRIME
                if not row[name]:
                    del row[name]
        return row
