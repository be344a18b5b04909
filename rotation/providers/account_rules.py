"""Error signals about our side of the counter: money, keys, rate limits. In order; see `errors.RULES`."""

from __future__ import annotations

from rotation.core.failures import Blame, FailureKind
from rotation.providers.rule import LIMITED, Rule, sentences, words

MONEY = (
    Rule(
        FailureKind.TOO_LARGE_FOR_BUDGET,  # a smaller or cheaper request would still be paid
        starts=sentences(
            r"this request requires more credits, or fewer max_tokens\b.{0,200}\bcan only afford [1-9]",
            r"prompt tokens limit exceeded: \d+ > [1-9]",
        ),
    ),
    Rule(
        FailureKind.OUT_OF_CREDIT,
        starts=sentences(
            r"key limit exceeded",
            r"(?:this request requires more credits|prompt tokens limit exceeded)\b.{0,300}\bkey with a higher",
        ),
        blame=Blame.KEY,
    ),
    Rule(FailureKind.QUOTA_DAY, words=words("per_day"), statuses=LIMITED),
    Rule(FailureKind.RATE_LIMITED, words=words("resource_exhausted"), statuses=LIMITED),
    # The upstream refused the provider's own key or credit, not ours
    Rule(FailureKind.OVERLOADED, starts=sentences(r"provider returned error"), statuses=frozenset({401, 402})),
    Rule(
        FailureKind.OUT_OF_CREDIT,
        words=words(
            "insufficient_quota insufficient_credits insufficient_balance payment_required "
            "billing_hard_limit_reached billing_not_active"
        ),
    ),
    Rule(FailureKind.OUT_OF_CREDIT, statuses=frozenset({402})),
    Rule(
        FailureKind.OUT_OF_CREDIT,
        starts=sentences(r"insufficient (?:credits?|balance|funds)\b", r"you exceeded your current quota\b"),
        statuses=frozenset({None, 400, 403, 429}),
    ),
)

KEY = (
    Rule(
        FailureKind.BAD_CREDENTIAL,
        words=words(
            "invalid_api_key wrong_api_key api_key_expired api_key_disabled authentication authentication_error "
            "authenticationerror invalid_authentication account_deactivated organization_restricted access_terminated"
        ),
    ),
    Rule(
        FailureKind.BAD_CREDENTIAL,
        starts=sentences(
            r"(?:invalid|incorrect|wrong|missing|expired|revoked|no|unknown) (?:or missing |or expired )?"
            r"(?:api[ _-]?key|auth|authentication|authorization|credentials?|cookie auth|(?:access|bearer) token)\b",
            r"(?:the |this |your )?api[ _-]?key (?:provided )?(?:is |was |has been )?"
            r"(?:not valid|invalid|expired|disabled|revoked|deactivated|deleted|missing|incorrect|unknown)",
            r"unauthorized\b",
            r"user not found\b",
            r"organization has been restricted\b",
            r"(?:your |this )?(?:user |account )+(?:has been |is |was )(?:deactivated|suspended|disabled|blocked)",
        ),
        statuses=frozenset({None, 400, 401, 403}),
    ),
    Rule(FailureKind.BAD_CREDENTIAL, statuses=frozenset({401})),
)

LIMIT = (
    Rule(
        FailureKind.QUOTA_DAY,
        words=words("openrouter_free_tier_daily"),
        starts=sentences(r"rate limit exceeded: free-models-per-day"),
        statuses=LIMITED,
        blame=Blame.ACCOUNT_FREE,
    ),
    Rule(
        FailureKind.RATE_LIMITED,
        words=words("openrouter_free_tier_per_minute"),
        starts=sentences(r"rate limit exceeded: free-models-per-min"),
        statuses=LIMITED,
        blame=Blame.ACCOUNT_FREE,
        longest=60.0,
    ),
    Rule(
        FailureKind.UPSTREAM_BUSY,
        words=words("upstream_provider_shared_pool capacity_exhausted resource_unavailable engine_overloaded"),
        statuses=LIMITED,
    ),
    Rule(
        FailureKind.UPSTREAM_BUSY,
        starts=sentences(
            r"provider returned error",
            r"\S{1,200} is temporarily rate-limited upstream",
            r"(?:that|the) (?:model|engine|server) is (?:currently )?overloaded",
            r"resource unavailable\b",
        ),
        statuses=frozenset({429}),
    ),
    Rule(
        FailureKind.QUOTA_DAY,
        says=sentences(r"\bper[ -]day\b", r"\b(?:TPD|RPD|ASPD)\b", r"\bdaily (?:\w+ )?(?:limit|quota)", "limit_rpd/"),
        statuses=frozenset({429}),
    ),
    Rule(FailureKind.RATE_LIMITED, statuses=frozenset({429})),
    Rule(
        FailureKind.RATE_LIMITED,
        words=words(
            "rate_limit_exceeded rate_limit_error rate_limited model_rate_limit dynamic_request_limited "
            "dynamic_token_limited too_many_requests request_quota_exceeded token_quota_exceeded"
        ),
    ),
)
