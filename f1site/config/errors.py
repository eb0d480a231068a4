"""What is wrong with the configuration, as one line that a person can act on."""

from __future__ import annotations

MAX_END = 500  # characters of a message that is too long, at either side


class ConfigError(Exception):
    """One line for the person who wrote the file.

    The text it quotes may be anybody's. So a control character is shown as its escape and cannot move the terminal's
    cursor, and a message without end is cut in its middle. check_id and hint: as Django's system checks show it.
    """

    check_id = "f1site.E001"
    beginning = "The configuration is wrong: "  # of the line that ends a start
    hint = "config.yaml.example has every key, and docs/reference.md says what each means."

    def __init__(self, message: str) -> None:
        plain = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message)
        super().__init__(plain if len(plain) <= 2 * MAX_END else f"{plain[:MAX_END]} … {plain[-MAX_END:]}")


class EnvironmentProblem(ConfigError):
    """A variable, .env or a secret's file is wrong, or what it names cannot be used."""

    check_id = "f1site.E002"
    beginning = ""
    hint = "docs/reference.md lists the variables of the environment."
