"""The rules of the shared context that this process decides and projects by: those of the policy's file."""

from domain.context.policy import ContextPolicy
from domain.context.rules.conflict import TextMerge
from domain.refusal import Refusal
from workers import context_policy
from workers.deciding import Rules


def rules(policy: ContextPolicy | None = None) -> Rules:
    """What a node decides by.

    Raises:
        Refusal: the policy's file cannot be used.
    """
    policy = policy or context_policy.load()
    return Rules(policy.layers, policy.residency, _merge_of(policy.texts))


def project_by_them() -> None:
    """Let this process fold by them: before it folds anything.

    Raises:
        Refusal: the policy's file cannot be used.
    """
    from projections.registry import CONTEXT  # with it comes all of SQL, which a node has no use for

    policy = context_policy.load()
    CONTEXT.settle_by(policy.layers, policy.texts, _merge_of(policy.texts))


def _merge_of(texts: str) -> TextMerge | None:
    if not texts:
        return None
    try:
        from workers.text_merge import merge_text
    except ImportError:
        raise Refusal(
            "texts", "the policy merges texts by pycrdt, which is not here: install folkmoot[texts]"
        ) from None
    return merge_text
