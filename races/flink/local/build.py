"""Our own Java, compiled at the first start: by javac where this Java has one, else by Eclipse's compiler."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

from races.flink.local.errors import CannotRun
from races.flink.local.jars import Say, jars
from races.flink.local.java import Java, classpath

SOURCES = Path(__file__).with_name("java")
# What Flink looks up by its interface's name
SERVICES = {
    "org.apache.flink.table.factories.Factory": "lab.f1.FramedJsonFactory",
    "org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory": "lab.f1.SameOrigin",
}


def build(java: Java, flink: Path, folder: Path, say: Say) -> Path:
    """The jar with our classes, made anew where a source has changed. Raises CannotRun."""
    sources = sorted(SOURCES.glob("*.java"))
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    jar = folder / f"f1-lab-{digest}.jar"
    if not jar.exists():
        say(f"Compiling {len(sources)} Java classes of the lab")
        classes = folder / "classes"
        classes.mkdir(parents=True, exist_ok=True)
        if java.compiler is not None:
            program = [str(java.compiler), "--release", "17"]
        else:  # a JRE has no list of what each release had, and Eclipse's compiler takes no --release there
            (compiler,) = jars(["compiler"], folder, say)
            program = [str(java.program), "-jar", *map(str, compiler.glob("ecj-*.jar")), "-17"]
        known = classpath(sorted(flink.glob("*.jar")))  # Eclipse's compiler knows no wildcard
        options = ["-nowarn", "-cp", known, "-d", str(classes)]
        done = subprocess.run(
            [*program, *options, *map(str, sources)], capture_output=True, text=True, timeout=180, check=False
        )
        if done.returncode != 0:
            raise CannotRun(
                f"The lab's Java classes do not compile: {(done.stderr or done.stdout).strip()[:400]}"
            )
        whole = jar.with_suffix(".part")
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(classes.rglob("*.class")):
                archive.write(file, file.relative_to(classes).as_posix())
            for interface, ours in SERVICES.items():
                archive.writestr(f"META-INF/services/{interface}", f"{ours}\n")
        whole.replace(jar)
    return jar
