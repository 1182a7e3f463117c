"""Which row, which URL, whose key: every sentence of the rules is a row here, and the key shows nowhere."""

from __future__ import annotations

import asyncio
import copy
import pickle

import pytest

from flash_integrations import Provider, RateLimit, register_provider
from flash_integrations import catalogue as catalogue_module
from flash_integrations._config.endpoint import Credential, resolve
from flash_integrations._config.urls import clean_url, is_loopback
from flash_integrations.errors import ConfigurationError

FLASH, OPENAI = "https://ai.flashapi.top/v1", "https://api.openai.com/v1"
OWN = "https://own.example/v1"
LOOPBACK = "http://127.0.0.1:8000/v1"
SECRET = "sk-made-up-secret"
ALL_KEYS = {
    "FLASH_API_KEY": "flash-key",
    "SUPERTOKEN_API_KEY": "supertoken-key",
    "FLOXAI_API_KEY": "floxai-key",
    "OPENAI_API_KEY": "openai-key",
}
MISSING = ConfigurationError


class Secret:
    """Pydantic's SecretStr, as far as it matters here."""

    def __init__(self, value):
        self._value = value

    def __repr__(self):
        return "Secret('**')"

    def get_secret_value(self):
        return self._value


@pytest.fixture
def environment(monkeypatch):
    """Sets variables."""

    def put(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture
def own_rows():
    """Rows that a test registers are gone after it."""
    before = catalogue_module._providers
    yield
    catalogue_module._providers = before


# --- which row, which key -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "variables", "expected"),
    [
        # provider= if given
        ({}, {}, ("flashapi", FLASH, "flash-key")),
        ({"provider": "openai"}, {}, ("openai", OPENAI, "openai-key")),
        ({"provider": "supertoken"}, {}, ("supertoken", "https://api.supertoken.cc/v1", "supertoken-key")),
        ({"provider": "floxai"}, {}, ("floxai", "https://api.floxai.io/v1", "floxai-key")),
        ({"provider": "uniapi"}, {}, ("uniapi", "https://api.uniapi.io/v1", "floxai-key")),
        ({"provider": "openai"}, {"FLASH_PROVIDER": "floxai"}, ("openai", OPENAI, "openai-key")),
        ({"provider": "openai"}, {"FLASH_BASE_URL": OWN}, ("openai", OPENAI, "openai-key")),
        # else the row whose URL equals base_url= or FLASH_BASE_URL
        ({"base_url": OPENAI}, {}, ("openai", OPENAI, "openai-key")),
        ({"base_url": "HTTPS://API.OpenAI.com:443/v1/"}, {}, ("openai", OPENAI, "openai-key")),
        ({}, {"FLASH_BASE_URL": OPENAI}, ("openai", OPENAI, "flash-key")),
        ({"base_url": FLASH}, {"FLASH_PROVIDER": "openai"}, ("flashapi", FLASH, "flash-key")),
        ({"base_url": OPENAI}, {"FLASH_BASE_URL": OWN}, ("openai", OPENAI, "openai-key")),
        # else custom if a URL was given
        ({"base_url": OWN}, {"FLASH_PROVIDER": "openai"}, ("custom", OWN, MISSING)),
        ({}, {"FLASH_BASE_URL": OWN, "FLASH_PROVIDER": "openai"}, ("custom", OWN, "flash-key")),
        # else FLASH_PROVIDER, else flashapi
        ({}, {"FLASH_PROVIDER": "openai"}, ("openai", OPENAI, "openai-key")),
        ({}, {"FLASH_PROVIDER": " "}, ("flashapi", FLASH, "flash-key")),
        # a row's variable is read for its own URL, or where the code names both
        ({"provider": "openai", "base_url": OWN}, {}, ("openai", OWN, "openai-key")),
        ({"provider": "custom"}, {"FLASH_BASE_URL": OWN}, ("custom", OWN, "flash-key")),
        # FLASH_API_KEY belongs to FLASH_BASE_URL when that is set, otherwise to flashapi
        ({"provider": "flashapi"}, {"FLASH_BASE_URL": OWN}, ("flashapi", FLASH, MISSING)),
        ({"provider": "flashapi"}, {"FLASH_BASE_URL": FLASH}, ("flashapi", FLASH, "flash-key")),
        ({"provider": "flashapi", "base_url": OWN}, {}, ("flashapi", OWN, "flash-key")),
        ({"provider": "flashapi", "base_url": OWN}, {"FLASH_BASE_URL": FLASH}, ("flashapi", OWN, MISSING)),
        ({"base_url": OWN}, {"FLASH_BASE_URL": OWN + "/"}, ("custom", OWN, "flash-key")),
        # base_url= without api_key= is an error, except on loopback, where no key is sent
        ({"base_url": OWN}, {}, ("custom", OWN, MISSING)),
        ({"base_url": LOOPBACK}, {}, ("custom", LOOPBACK, None)),
        ({"base_url": "http://localhost:11434/v1"}, {}, ("custom", "http://localhost:11434/v1", None)),
        ({"base_url": "http://[::1]:80/v1"}, {}, ("custom", "http://[::1]/v1", None)),
        ({"base_url": "http://10.0.0.7/v1"}, {}, ("custom", "http://10.0.0.7/v1", MISSING)),
        # api_key= counts over everything
        ({"api_key": SECRET}, {}, ("flashapi", FLASH, SECRET)),
        ({"api_key": SECRET, "base_url": OWN}, {}, ("custom", OWN, SECRET)),
        ({"api_key": SECRET, "base_url": LOOPBACK}, {}, ("custom", LOOPBACK, SECRET)),
        ({"api_key": Secret(SECRET), "provider": "openai"}, {}, ("openai", OPENAI, SECRET)),
        ({"api_key": ""}, {}, ("flashapi", FLASH, MISSING)),
    ],
)
def test_which_row_and_which_key(environment, params, variables, expected):
    """With every provider's key in the environment, a call carries the one that belongs to where it goes, or none."""
    row, url, key = expected
    environment(**ALL_KEYS, **variables)
    endpoint = resolve(**{"provider": None, "base_url": None, "api_key": None, **params})
    assert (endpoint.provider.name, endpoint.base_url) == (row, url)
    if key is MISSING:
        with pytest.raises(ConfigurationError, match="no API key"):
            endpoint.credential.bearer()
    else:
        assert endpoint.credential.bearer() == (None if key is None else f"Bearer {key}")


@pytest.mark.parametrize("variable", sorted(ALL_KEYS))
@pytest.mark.parametrize("row", ["flashapi", "supertoken", "floxai", "uniapi", "openai"])
def test_no_variable_is_a_fallback_for_another_provider(environment, row, variable):
    """One key alone in the environment goes to its own provider and to no other."""
    environment(**{variable: SECRET})
    endpoint = resolve(row, None, None)
    if endpoint.provider.key_variable == variable:
        assert endpoint.credential.bearer() == f"Bearer {SECRET}"
    else:
        with pytest.raises(ConfigurationError):
            endpoint.credential.bearer()


def test_a_missing_key_is_told_at_the_first_call():
    """The constructor asks for no key; the call names the variable and the way to try without one."""
    credential = resolve(None, None, None).credential
    with pytest.raises(ConfigurationError, match=r"FLASH_API_KEY.*flash-integrations gateway"):
        credential.bearer()


def test_a_missing_key_for_an_unknown_url_names_no_variable(environment):
    """Where no variable is read, the message does not send anyone to set one."""
    environment(FLASH_API_KEY=SECRET)
    with pytest.raises(ConfigurationError, match=r"no API key for https://own.example/v1: give api_key=") as caught:
        resolve(None, OWN, None).credential.bearer()
    assert "FLASH_API_KEY" not in str(caught.value)


@pytest.mark.parametrize("chosen", ["provider", "FLASH_PROVIDER"])
def test_a_provider_is_known_in_any_spelling(environment, chosen):
    """Case and blanks do not count, in code and in the environment."""
    if chosen == "FLASH_PROVIDER":
        environment(FLASH_PROVIDER="SuperToken ")
    assert resolve("SuperToken " if chosen == "provider" else None, None, None).provider.name == "supertoken"


def test_a_key_of_another_row_is_told_where_one_is_missing(environment):
    """The variable that is set is named with the row it belongs to, and nothing of the key."""
    environment(SUPERTOKEN_API_KEY=SECRET)
    with pytest.raises(ConfigurationError, match="set FLASH_API_KEY") as caught:
        resolve(None, None, None).credential.bearer()
    said = "SUPERTOKEN_API_KEY is set: did you mean provider='supertoken' (or FLASH_PROVIDER=supertoken)?"
    assert str(caught.value).endswith(said)
    assert SECRET not in str(caught.value)


def test_a_variable_of_no_row_or_of_two_is_told_once(environment):
    """Other programs' keys are not spoken of; rows that share a variable make one question."""
    environment(MISTRAL_API_KEY=SECRET, FLOXAI_API_KEY=SECRET, OPENAI_API_KEY=" ")
    with pytest.raises(ConfigurationError) as caught:
        resolve(None, None, None).credential.bearer()
    assert str(caught.value).count(" is set: did you mean ") == 1
    assert "FLOXAI_API_KEY is set: did you mean provider='floxai'" in str(caught.value)


def test_a_key_that_belongs_to_another_url_is_not_offered(environment):
    """FLASH_API_KEY is FLASH_BASE_URL's, and leads nowhere else."""
    environment(FLASH_BASE_URL=OWN, FLASH_API_KEY=SECRET)
    with pytest.raises(ConfigurationError, match="set OPENAI_API_KEY") as caught:
        resolve("openai", None, None).credential.bearer()
    assert "FLASH_API_KEY" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://api.supertoken.cc", "https://api.supertoken.cc/api/v1", "https://API.SuperToken.cc/"]
)
@pytest.mark.parametrize("where", ["base_url", "FLASH_BASE_URL"])
def test_a_known_host_with_another_path_is_asked_about(environment, url, where):
    """Where the key is missing, the row's own URL is named."""
    environment(SUPERTOKEN_API_KEY=SECRET)
    if where == "FLASH_BASE_URL":
        environment(FLASH_BASE_URL=url)
    with pytest.raises(ConfigurationError, match=r"did you mean https://api\.supertoken\.cc/v1\?"):
        resolve(None, url if where == "base_url" else None, None).credential.bearer()


@pytest.mark.parametrize("url", [FLASH, OWN])
def test_a_url_that_needs_no_question_gets_none(url):
    """Neither a row's own URL nor an unknown host."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(None, url, None).credential.bearer()
    assert "did you mean" not in str(caught.value)


def test_the_environment_is_read_at_each_call(environment):
    """A key that is set, or changed, after the client was made counts."""
    credential = resolve(None, None, None).credential
    for key in ("first", "second"):
        environment(FLASH_API_KEY=key)
        assert credential.bearer() == f"Bearer {key}"


def test_a_key_does_not_follow_its_variable_to_another_url(environment):
    """FLASH_API_KEY is not sent to flashapi any more, once FLASH_BASE_URL says whose it is."""
    environment(FLASH_API_KEY=SECRET)
    credential = resolve(None, None, None).credential
    environment(FLASH_BASE_URL=OWN)
    with pytest.raises(ConfigurationError, match="no API key"):
        credential.bearer()


def test_an_unknown_provider_is_told_with_the_known_ones():
    """A misspelt row is an error in the constructor."""
    with pytest.raises(ConfigurationError, match=r"unknown provider 'openia'; known: .*openai"):
        resolve("openia", None, None)


@pytest.mark.parametrize("params", [{"provider": "custom"}, {}])
def test_a_row_without_a_url_wants_one(environment, params):
    """The row `custom` stands for any URL, so one must be given."""
    environment(FLASH_PROVIDER="custom")
    with pytest.raises(ConfigurationError, match="'custom' has no URL of its own: give base_url="):
        resolve(params.get("provider"), None, None)


@pytest.mark.usefixtures("own_rows")
def test_a_registered_row_is_found_by_its_url(environment):
    """A row of one's own counts like those of the catalogue, its variable included."""
    register_provider(Provider("mine", f"{OWN}/", "MY_KEY", rate_limit=RateLimit(concurrent=1)))
    environment(MY_KEY=SECRET)
    endpoint = resolve(None, OWN, None)
    assert endpoint.provider.name == "mine"
    assert endpoint.credential.bearer() == f"Bearer {SECRET}"


@pytest.mark.usefixtures("own_rows")
def test_a_registered_row_with_a_bad_url_disturbs_nobody_else():
    """Its URL is told to whoever uses the row; others find theirs."""
    register_provider(Provider("broken", "no url at all"))
    assert resolve(None, OPENAI, None).provider.name == "openai"
    with pytest.raises(ConfigurationError, match="the URL of provider 'broken' must be a URL"):
        resolve("broken", None, None)


def test_a_provider_may_be_given_itself():
    """A row need not be registered."""
    row = Provider("mine", OWN, "MY_KEY")
    assert resolve(row, None, None).provider is row


# --- URLs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("https://Host.Example/v1/", "https://host.example/v1"),
        (" https://host.example/v1 ", "https://host.example/v1"),
        ("https://host.example:443/v1", "https://host.example/v1"),
        ("https://host.example:8443/v1", "https://host.example:8443/v1"),
        ("http://localhost:80/v1", "http://localhost/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://host.example", "https://host.example"),
        ("https://host.example/Case/Kept", "https://host.example/Case/Kept"),
    ],
)
def test_a_url_has_one_spelling(given, cleaned):
    """Host in lower case, no default port, no slash at the end: what is learned and counted belongs to one place."""
    assert clean_url(given) == cleaned
    assert clean_url(cleaned) == cleaned


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "must be a URL like"),
        ("host.example/v1", "must be a URL like"),
        ("ftp://host.example/v1", "must be a URL like"),
        ("https://", "must be a URL like"),
        ("https://ho st/v1", "must be a URL like"),
        ("https://host.example:port/v1", "must be a URL like"),
        ("https://[::1/v1", "must be a URL like"),
        (7, "must be a URL like"),
        ("https://user:word@host.example/v1", "must not have a user"),
        ("https://host.example/v1?key=1", "must not have a query"),
        ("https://host.example/v1#top", "must not have a query"),
        ("https://host.example/v1/chat/completions", r"must end before /chat/completions: https://host\.example/v1$"),
        ("https://host.example/v1/chat/completions/", r"must end before /chat/completions: https://host\.example/v1$"),
        ("https://host.example/v1/models", r"must end before /models: https://host\.example/v1$"),
    ],
)
def test_a_url_that_is_none_is_told(url, message):
    """The error says what is wrong with it and what it should be."""
    with pytest.raises(ConfigurationError, match=message):
        clean_url(url)


@pytest.mark.parametrize("url", [SECRET, f"https://x:{SECRET}@host.example/v1", f"ftp://x:{SECRET}@h/v1"])
def test_a_key_in_a_url_is_not_shown(url):
    """A key given in the place of the URL, or inside it, does not come back in the error."""
    with pytest.raises(ConfigurationError) as caught:
        clean_url(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "10.1.2.3", "192.168.0.5", "172.16.0.1", "gateway", "x.localhost"],
)
def test_plain_http_goes_to_near_hosts(host):
    """Loopback, private addresses and single-label names need no https."""
    assert clean_url(f"http://{host}/v1") == f"http://{host}/v1"


@pytest.mark.parametrize(
    "host", ["host.example", "8.8.8.8", "134744072", "0x08080808", "[2001:4860::8888]", "localhost.example"]
)
def test_plain_http_to_a_public_host_wants_a_word(host):
    """The key would travel in clear: https or allow_http=True."""
    with pytest.raises(ConfigurationError, match="plain http to a public host"):
        clean_url(f"http://{host}/v1")
    assert clean_url(f"http://{host}/v1", allow_http=True) == f"http://{host}/v1"


@pytest.mark.parametrize(
    ("url", "is_it"),
    [
        ("http://127.0.0.1/v1", True),
        ("http://127.1.2.3/v1", True),
        ("http://[::1]/v1", True),
        ("http://localhost/v1", True),
        ("http://a.localhost/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://gateway/v1", False),
        ("https://localhost.example/v1", False),
    ],
)
def test_what_is_loopback(url, is_it):
    """This machine, and nothing that only looks like it."""
    assert is_loopback(url) is is_it


# --- the key --------------------------------------------------------------------------------------------------------


def made(source, *, url=OWN, variable=None):
    """A credential."""
    return Credential(source, provider="custom", url=url, variable=variable)


@pytest.mark.parametrize("source", [SECRET, Secret(SECRET), lambda: SECRET], ids=["text", "secret", "function"])
def test_a_key_shows_nowhere(source):
    """Not in repr, str, pickle or the attributes of what was copied."""
    credential = made(source)
    credential.bearer()
    shown = [repr(credential), str(credential), f"{credential}", repr(resolve(None, OWN, source))]
    assert [text for text in shown if SECRET in text] == []
    assert SECRET.encode() not in pickle.dumps(credential)


def test_a_pickled_key_comes_from_the_environment(environment):
    """What comes out of a pickle takes its key from where it is used."""
    pickled = pickle.dumps(resolve("openai", None, SECRET).credential)
    environment(OPENAI_API_KEY="of-the-other-side")
    assert pickle.loads(pickled).bearer() == "Bearer of-the-other-side"  # noqa: S301 - our own


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_keeps_its_key(copied):
    """Both copies stay in this process."""
    assert copied(made(SECRET)).bearer() == f"Bearer {SECRET}"
    assert copied(resolve(None, OWN, SECRET)).credential.bearer() == f"Bearer {SECRET}"


def test_a_function_is_called_for_each_request():
    """A key that rotates is asked for anew, once a request; the limits are those of the key it gave last."""
    keys = iter(["one", "two", "three"])
    credential = made(lambda: next(keys))
    assert [credential.bearer(), credential.bearer()] == ["Bearer one", "Bearer two"]
    assert credential.owner() == made("two").owner()
    assert next(keys) == "three"


async def an_async_key():
    """A key that takes its time."""
    await asyncio.sleep(0)
    return Secret(SECRET)


async def test_an_async_function_gives_a_key_to_async_calls():
    """Coroutine functions are awaited, plain ones called."""
    assert await made(an_async_key).abearer() == f"Bearer {SECRET}"
    assert await made(lambda: SECRET).abearer() == f"Bearer {SECRET}"
    assert await made(SECRET).abearer() == f"Bearer {SECRET}"


def test_an_async_function_gives_none_to_blocking_calls():
    """A blocking call says so, and leaves no coroutine behind."""
    with pytest.raises(ConfigurationError, match="only the async methods"):
        made(an_async_key).bearer()


@pytest.mark.parametrize("key", [f"{SECRET}\n", f"  {SECRET}  ", f"{SECRET}\r\n"])
def test_blanks_around_a_key_are_dropped(key):
    """Keys are copied with their line ends."""
    assert made(key).bearer() == f"Bearer {SECRET}"
    assert made(lambda: key).bearer() == f"Bearer {SECRET}"


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-ключ", "sk-\x00", "sk-a\r\nX-Evil: 1", "“sk”"])
def test_a_key_that_no_header_carries_is_told(key):
    """Line ends inside and characters past ASCII are refused, and not shown."""
    with pytest.raises(ConfigurationError, match="no HTTP header can carry") as caught:
        made(key).bearer()
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [f"Bearer {SECRET}", f" bearer {SECRET}\n"])
def test_a_key_with_bearer_before_it_is_told(environment, key):
    """As early as it is known: in the constructor where it is given, else at the call; and not shown."""
    environment(OPENAI_API_KEY=key)
    late = [made(lambda: key).bearer, resolve("openai", None, None).credential.bearer]
    for ask in (lambda: made(key), lambda: made(Secret(key)), *late):
        with pytest.raises(ConfigurationError, match="begins with 'Bearer': give the key alone") as caught:
            ask()
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("source", [7, b"sk", ["sk"], object()])
def test_a_key_of_a_wrong_type_is_told_at_once(source):
    """In the constructor, by the type's name."""
    with pytest.raises(ConfigurationError, match=f"not {type(source).__name__}"):
        resolve(None, OWN, source)


def test_a_function_that_gives_no_text_is_told():
    """What it gave is named by type."""
    with pytest.raises(ConfigurationError, match="not int"):
        made(lambda: 7).bearer()


@pytest.mark.parametrize("source", [SECRET, Secret(SECRET), lambda: SECRET], ids=["text", "secret", "function"])
def test_a_key_is_taken_out_of_texts(source):
    """Wherever the key stands in a text, stars stand there afterwards; a function's key once it was used."""
    credential = made(source)
    credential.bearer()
    assert credential.redact(f"bad key {SECRET}, {SECRET}!") == "bad key **********, **********!"


def test_a_key_of_the_environment_is_taken_out_of_texts(environment):
    """Keys of variables as well."""
    environment(OPENAI_API_KEY=SECRET)
    assert SECRET not in resolve("openai", None, None).credential.redact(f"bad key {SECRET}")


def test_texts_stay_as_they_are_where_no_key_is_known():
    """No key, or one too short to be told from other text, changes nothing."""
    assert made(None).redact("a bad abc") == "a bad abc"
    assert made("a").redact("a bad abc") == "a bad abc"


class Vault:
    """Gives a key by a method."""

    def key(self):
        return SECRET


def test_limits_belong_to_the_key():
    """The same key in any wrapping has the same owner, other keys and functions have others, and no owner is a key."""
    vault = Vault()
    same = {made(SECRET).owner(), made(Secret(SECRET)).owner(), made(f" {SECRET}\n").owner()}
    assert len(same) == 1
    assert made(vault.key).owner() == made(vault.key).owner()
    others = [made(SECRET), made("other"), made(vault.key), made(Vault().key), made(lambda: SECRET)]
    assert len({each.owner() for each in others}) >= 4
    assert made(vault.key).owner() != made(SECRET).owner()
    assert SECRET not in same.pop()
