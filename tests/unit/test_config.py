"""Settings: read once, refused with a sentence that says what would be right."""

from pathlib import Path

import pytest

from app.config import Config
from app.errors import InvalidSetting


def test_without_any_variable_all_settings_have_their_defaults() -> None:
    config = Config.from_env({})

    assert config == Config()
    assert config.database() == "sqlite:///var/ytrag.db"
    assert config.address() == "http://127.0.0.1:8000"


def test_variables_are_read_with_their_units() -> None:
    variables = {
        "YTRAG_RETRY_DELAYS_S": "1, 2.5",
        "YTRAG_DATA_DIR": "/srv/data",
        "YTRAG_ALLOWED_SOURCES": "Example.org, youtube.com",
        "YTRAG_STAGE_TIME_LIMIT_EMBED_S": "90",
        "YTRAG_AUTO_MIGRATE": "0",
        "HOME": "/root",
    }

    config = Config.from_env(variables)

    assert config.retry_delays_s == (1.0, 2.5)
    assert config.data_dir == Path("/srv/data")
    assert config.allowed_sources == ("example.org", "youtube.com")
    assert config.stage_time_limits_s == {"embed": 90.0}
    assert config.auto_migrate is False


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("YTRAG_PORT", "eighty", "a whole number of at least 1"),
        ("YTRAG_PORT", "0", "a whole number of at least 1"),
        ("YTRAG_ENV", "prod", "one of development, production"),
        ("YTRAG_LEASE_S", "-1", "a number above 0"),
        ("YTRAG_LEASE_S", "nan", "a number above 0"),
        ("YTRAG_RETRY_DELAYS_S", "10,soon", "numbers of seconds parted by commas"),
        ("YTRAG_AUTO_MIGRATE", "maybe", "1 or 0"),
        ("YTRAG_TRUSTED_PROXIES", "caddy", "addresses or networks"),
        ("YTRAG_STAGE_TIME_LIMIT_EMBED_S", "long", "a number above 0"),
        ("YTRAG_STAGE_TIME_LIMIT_DANCE_S", "5", "download, extract_audio"),
    ],
)
def test_a_wrong_value_is_refused_by_name_with_what_it_held_and_what_it_may_hold(
    name: str, value: str, allowed: str
) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Config.from_env({name: value})

    assert name in refused.value.detail
    assert value in refused.value.detail
    assert allowed in refused.value.detail


@pytest.mark.parametrize(
    ("env", "host", "is_open"),
    [
        ("development", "127.0.0.1", True),
        ("development", "localhost", True),
        ("development", "0.0.0.0", False),
        ("production", "127.0.0.1", False),
    ],
)
def test_only_development_on_loopback_is_open(env: str, host: str, is_open: bool) -> None:
    assert Config.from_env({"YTRAG_ENV": env, "YTRAG_HOST": host}).is_open() is is_open


def test_a_setting_may_stand_in_a_file(tmp_path: Path) -> None:
    held = tmp_path / "database_url"
    held.write_text("mysql://ytrag:s3cret@db/ytrag\n")

    config = Config.from_env({"YTRAG_DATABASE_URL_FILE": str(held), "YTRAG_COOKIES_FILE": "/cookies.txt"})

    assert config.database_url == "mysql://ytrag:s3cret@db/ytrag"
    assert config.cookies_file == "/cookies.txt"  # a setting of its own


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"YTRAG_PORT_FILE": "{0}", "YTRAG_PORT": "80"}, "YTRAG_PORT and YTRAG_PORT_FILE are both set"),
        ({"YTRAG_PORT_FILE": "{0}/none"}, "YTRAG_PORT_FILE is '.*/none', which cannot be read: No such file"),
        ({"YTRAG_PORT_FILE": "{0}"}, "which cannot be read: Is a directory"),
    ],
)
def test_a_file_that_does_not_do_is_named(variables: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=said):
        Config.from_env({name: value.format(tmp_path) for name, value in variables.items()})
