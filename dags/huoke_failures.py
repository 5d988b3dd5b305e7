"""What a failed job's exit code means for its task: fail for good, try once more, or try again with patience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowException

if TYPE_CHECKING:
    from airflow.sdk import Context

# The exit codes of the command `huoke`; a test holds them to jobs/runtime/errors.py, which a scheduler need not have.
USAGE, DATA_REFUSED, FAULT, TRY_AGAIN, POLICY_REFUSED = 64, 65, 70, 75, 77
FINAL = {
    USAGE: "the command was called wrongly",
    DATA_REFUSED: "the data was refused",
    POLICY_REFUSED: "a policy forbids it",
}


class JobFailed(AirflowException):
    """A job's process ended with an exit code that is not 0."""

    def __init__(self, job: str, day: str, code: int) -> None:
        super().__init__(f"job {job} of {day} ended with {code}; its reason stands above in this log")
        self.job, self.day, self.code = job, day, code

    def serialize(self) -> tuple[str, tuple[str, str, int], dict[str, Any]]:
        """How Airflow carries the exception between processes."""
        return f"{type(self).__module__}.{type(self).__name__}", (self.job, self.day, self.code), {}


class ByKindOfFailure(RetryPolicy):
    """Never retry what would fail again the same way, retry a fault once, and all else as often as the task allows."""

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide on the exit code; what is not an exit code (a timeout, a lost worker) counts as a fault."""
        code = exception.code if isinstance(exception, JobFailed) else FAULT
        if code in FINAL:
            return RetryDecision.fail(reason=f"exit code {code}: {FINAL[code]}")
        if code == TRY_AGAIN:
            return RetryDecision.default()
        if try_number > 1:
            return RetryDecision.fail(reason=f"exit code {code}: a fault is retried once only")
        return RetryDecision.retry(reason=f"exit code {code}: a fault is retried once")

    def serialize(self) -> dict[str, Any]:
        """The policy has no settings."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> ByKindOfFailure:
        """The policy has no settings."""
        return cls()
