"""python -m provisioning.standin: a local Confluent Cloud to rehearse provisioning and teardown against."""

import argparse
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from races.lib.spelling import write_anywhere

from . import CLOUD, Standin
from .answers import Answers, table
from .request_log import Exchange

DEFAULT_PORT = 8095
FAST = 20.0
ABOUT = """\
A local stand-in of Confluent Cloud. The provisioning commands work against it as they do against the real
service, without an account and without cost: environments, clusters, keys, topics, schemas and Flink
statements come up step by step, keys need their time until they work, and lists lag behind.

What is real: a Kafka for each cluster and a Schema Registry for each environment, so that `make run` works
on the config.yaml that provisioning wrote.
What is not: Flink. Statements go through their phases, CREATE TABLE makes its topic and subjects, faulty SQL
fails, but a RUNNING query computes nothing: keep `analytics.engine: embedded` to see averages and commentary.
Its Kafka gives every topic four partitions and keeps the records of a deleted topic. Nothing is saved: when
the stand-in stops, everything in it is gone."""
NEXT = """\
Paste this into another terminal:

  export CONFLUENT_CLOUD_URL={url}{trust}
  export CONFLUENT_CLOUD_API_KEY={key}
  export CONFLUENT_CLOUD_API_SECRET={secret}
  export AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal   # only for --flink; nothing is called
  (AWS_SESSION_TOKEN=expired-token shows what a token that has run out looks like)

Then, there:

  python manage.py provision_confluent --plan    what would be made
  python manage.py provision_confluent           make it, and write config.yaml
  make run                                       the lab on it
  python manage.py confluent_status              what stands
  python manage.py teardown_confluent            and away again

{pace} Each call shows below. Ctrl-C stops the stand-in and forgets everything in it.
"""


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m provisioning.standin",
        description=ABOUT,
        epilog="example: python -m provisioning.standin --fast",
        formatter_class=argparse.RawTextHelpFormatter,
    )
    found.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        metavar="N",
        help=f"port on 127.0.0.1 (default {DEFAULT_PORT}; 0: any)",
    )
    found.add_argument(
        "--fast", action="store_true", help=f"time passes {FAST:.0f} times as fast: for rehearsals"
    )
    found.add_argument(
        "--answers",
        type=parsed_answers,
        default=Answers(),
        metavar="QUESTION=ANSWER,…",
        help="which answer it gives where only the real service can decide:\n" + table(),
    )
    found.add_argument(
        "--plaintext",
        action="store_true",
        help="without TLS and without Kafka's keys, for who cannot set REQUESTS_CA_BUNDLE",
    )
    found.add_argument("--quiet", action="store_true", help="don't show the calls")
    return found


def parsed_answers(text: str) -> Answers:
    try:
        return Answers.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout) -> int:
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="f1-stand-in-") as folder:

        def show(exchange: Exchange) -> None:
            if not options.quiet:
                print(exchange, file=out, flush=True)

        try:
            standin = Standin(
                CLOUD,
                speed=FAST if options.fast else 1.0,
                port=options.port,
                seed=secrets.randbits(32),
                on_answer=show,
                answers=options.answers,
                tls=None if options.plaintext else Path(folder),
            )
        except OSError as error:
            print(f"Port {options.port}: {error.strerror}. Choose another with --port N.", file=sys.stderr)
            return 2
        with standin:
            pace = (
                f"Time passes {FAST:.0f} times as fast as outside."
                if options.fast
                else "A full round takes three to four minutes."
            )
            # what makes the commands, and the lab in that terminal, trust its certificate.
            file = standin.trusted
            trust = f"\n  export REQUESTS_CA_BUNDLE={file} SSL_CERT_FILE={file}" if file else ""
            steps = NEXT.format(
                url=standin.url, trust=trust, key=standin.key, secret=standin.secret, pace=pace
            )
            print(f"{ABOUT}\n\n{steps}", file=out, flush=True)
            ended = threading.Event()
            for name in (signal.SIGINT, signal.SIGTERM):
                signal.signal(name, lambda *_: ended.set())
            while not ended.wait(1.0):  # a wait without a limit can't be interrupted on Windows
                pass
        return 0


if __name__ == "__main__":
    write_anywhere()
    sys.exit(main())
