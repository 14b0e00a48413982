"""The wire to Mechanical Turk: boto3, the choice of sandbox or production, and foreign errors made ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import boto3
from botocore import exceptions as boto
from botocore.config import Config

from holotype.crowd.mturk.terms import LOOPBACK, check_url
from holotype.errors import CrowdError, PlatformError

PRODUCTION: Final = "mturk-requester.us-east-1.amazonaws.com"
SANDBOX: Final = "mturk-requester-sandbox.us-east-1.amazonaws.com"

_CREDENTIALS: Final = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.ConfigNotFound,
    boto.ConfigParseError,
    boto.SSOError,
    boto.TokenRetrievalError,
)
_REFUSED: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_AGAIN: Final = "run the same command again later: nothing is asked or paid twice"


def endpoint_for(production: bool, endpoint: str | None) -> str:
    """The URL to speak to: the sandbox's unless `production`, or `endpoint`.

    Raises `CrowdError` if `endpoint` is neither the sandbox nor on this machine and `production` is false, so that
    no setting left behind spends money.
    """
    url = endpoint or f"https://{PRODUCTION if production else SANDBOX}"
    host = check_url(url)
    if not production and host != SANDBOX and host not in LOOPBACK:
        raise CrowdError(f"{host} is not the sandbox: real money is only spent in production")
    return url


class Requester:
    """An account at Mechanical Turk, with the credentials boto3 finds by its own rules; they are kept nowhere else.

    Calls are tried again where the network or a throttled service fails them. Raises `PlatformError`.
    """

    def __init__(self, production: bool = False, endpoint: str | None = None) -> None:
        self.production = production
        self._endpoint = endpoint_for(production, endpoint)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 8},
            connect_timeout=10,
            read_timeout=60,
            tcp_keepalive=True,
        )
        try:
            session = boto3.session.Session()
            self._client = session.client("mturk", "us-east-1", endpoint_url=self._endpoint, config=config)
        except (boto.BotoCoreError, ValueError) as error:
            raise translate(error) from None

    def __repr__(self) -> str:
        return f"<Mechanical Turk at {self._endpoint}>"

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """The answer to an operation of the API, named as in boto3; a failure is a `PlatformError`."""
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**parameters)
        except (boto.BotoCoreError, boto.ClientError, ValueError, TypeError, AttributeError) as error:
            raise translate(error) from None  # its text, and what it was raised from, may hold credentials
        return answer

    def listing(self, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every element of the lists called `key` in all pages of an answer."""
        more: dict[str, str] = {}
        while True:
            answer = self.call(operation, MaxResults=100, **parameters, **more)
            if key not in answer and "NumResults" not in answer:
                raise PlatformError(f"an answer of Mechanical Turk has no {key}: {_AGAIN}")
            yield from answer.get(key, ())
            following = answer.get("NextToken")
            if not following or following == more.get("NextToken"):
                return
            more = {"NextToken": following}


def translate(error: Exception) -> PlatformError:
    """What went wrong at Mechanical Turk and what to do, without any text that could hold a credential."""
    if isinstance(error, boto.ClientError):
        return _refusal(error)
    kind = type(error).__name__
    if isinstance(error, _CREDENTIALS):
        return PlatformError(
            f"boto3 has no usable AWS credentials ({kind}): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or AWS_PROFILE to a profile of ~/.aws/credentials"
        )
    if isinstance(error, boto.ParamValidationError):
        return PlatformError(f"Mechanical Turk would not accept this: {error}")
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
        return PlatformError(f"Mechanical Turk could not be reached ({kind}): see to the network, then {_AGAIN}")
    return PlatformError(f"what Mechanical Turk or the AWS settings say is not usable ({kind}): {_AGAIN}")


def _refusal(error: boto.ClientError) -> PlatformError:
    response = error.response
    code = str(response.get("Error", {}).get("Code", ""))[:80]
    if code in _REFUSED:
        return PlatformError(
            f"Mechanical Turk does not accept the AWS credentials ({code}): see that they are valid, that they allow "
            "AmazonMechanicalTurkFullAccess and that the AWS account is linked to a requester account",
            code,
        )
    if code in ("RequestError", "ServiceFault"):
        code = str(response.get("TurkErrorCode") or code)[:80]
        message = str(response.get("Error", {}).get("Message", ""))[:300]
        return PlatformError(f"Mechanical Turk refused {error.operation_name} ({code}): {message}", code)
    return PlatformError(f"Mechanical Turk failed {error.operation_name} ({code}): {_AGAIN}", code)
