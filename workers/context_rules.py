"""The rules of the shared context that this process decides and projects by: those of the policy's file."""

from domain.context.policy import ContextPolicy
from projections.registry import CONTEXT
from workers import context_policy
from workers.deciding import Rules


def rules(policy: ContextPolicy | None = None) -> Rules:
    """What a node decides by.

    Raises:
        Refusal: the policy's file cannot be used.
    """
    policy = policy or context_policy.load()
    return Rules(policy.layers, policy.residency)


def project_by_them() -> None:
    """Let this process fold by them: before it folds anything.

    Raises:
        Refusal: the policy's file cannot be used.
    """
    CONTEXT.settle_by(context_policy.load().layers)
