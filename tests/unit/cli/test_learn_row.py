"""Whoever follows a cycle outlives a database that is away for a while."""

from cli.learn_row import Following


class Tables:
    def __init__(self, *answers):
        self.answers = [*answers]

    async def cycle(self, stream):
        assert stream == "learning/c"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_read_model_that_is_away_is_waited_for_and_that_is_said_once(capsys):
    gone = TimeoutError("Postgres at 127.0.0.1:5432 does not answer")
    following = Following(Tables(None, gone, gone, {"state": "{}"}, {"state": "{}"}, gone), "learning/c")
    seen = [await following.look() for _ in range(6)]
    assert seen == [None, None, None, {"state": {}}, {"state": {}}, None]
    away = f"moot: the read model is waited for: {gone}"
    assert capsys.readouterr().err.splitlines() == [away, "moot: the read model is back", away]
