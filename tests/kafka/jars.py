"""Java and Kafka's jars, for a real broker on a machine without Docker."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
PACKAGES = ("openjdk-17-jre-headless", "maven")
HOW_TO = (
    "The Kafka tests need a broker. Any one of these will do: KAFKA_BOOTSTRAP_SERVERS=host:port of"
    " a running one, a Docker daemon that answers, or Java 17 and Maven on PATH"
    f" (Debian and Ubuntu: apt-get install {' '.join(PACKAGES)})."
)


class NoBrokerError(Exception):
    """No broker can be had on this machine; the message says what to install."""


def kafka_version() -> str:
    """Give the version that the pom pins; the Docker image is of the same one."""
    found = re.search(r"<kafka.version>(.+)</kafka.version>", POM.read_text())
    if found is None:
        raise NoBrokerError(f"{POM} pins no kafka.version.")
    return found[1]


def java() -> str:
    """Find a Java of version 17 or later, installing it with Maven where that is allowed."""
    if (found := _java()) is None or shutil.which("mvn") is None:
        _install()
        found = _java()
    if found is None or shutil.which("mvn") is None:
        raise NoBrokerError(HOW_TO)
    return found


def jars() -> Path:
    """Give the folder of Kafka's jars, filled by Maven the first time.

    It lies in the user's cache and not in the checkout, so that a fresh clone starts quickly;
    SAGALOG_CACHE names another place.
    """
    target = _cache() / f"kafka-{kafka_version()}"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _download(Path(scratch) / "jars")
            _publish(Path(scratch) / "jars", target)
    return target


def _cache() -> Path:
    """Follow the XDG convention for a user's cache."""
    if own := os.environ.get("SAGALOG_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sagalog"


def _java() -> str | None:
    """Ask JAVA_HOME and PATH, and believe only a Java that answers."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (home and f"{home}/bin/java", shutil.which("java")):
        if candidate and Path(candidate).exists():
            answer = subprocess.run([candidate, "-version"], capture_output=True, check=False)
            version = re.search(rb'version "(\d+)', answer.stderr)
            if version and int(version[1]) >= 17:
                return candidate
    return None


def _install() -> None:
    """Install Java and Maven by apt when this is root's machine; else change nothing."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    print(f"kafka: installing {' '.join(PACKAGES)}", file=sys.stderr)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run([apt, "-qq", *command], env=quiet, stdout=sys.stderr, check=False)
        if done.returncode:
            raise NoBrokerError(f"apt-get {command[0]} failed (see above). {HOW_TO}")


def _download(folder: Path) -> None:
    """Let Maven copy the pinned jars; what it says on success is noise."""
    print(f"kafka: fetching the jars of Kafka {kafka_version()} by Maven", file=sys.stderr)
    done = subprocess.run(
        [
            *("mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={folder}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoBrokerError(f"Maven could not fetch Kafka's jars.\n{done.stdout}")


def _publish(folder: Path, target: Path) -> None:
    """Move the whole folder at once, so that nobody sees half of it; a faster twin wins."""
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
