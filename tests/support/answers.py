"""A client that gives prepared answers, for what moto never says."""

from __future__ import annotations

from botocore.exceptions import ClientError


class Answers:
    """`Answers(put_object=[{}, refusal("SlowDown")])`: one answer a call, errors raised. `calls`: the arguments."""

    def __init__(self, **answers):
        self._answers = {name: iter(prepared) for name, prepared in answers.items()}
        self.calls = []

    def __getattr__(self, name):
        def call(**given):
            if name != "get_queue_url":
                self.calls.append(given)
            answer = next(self._answers[name])
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def refusal(code):
    return ClientError({"Error": {"Code": code}}, "Call")
