"""Whether a path is on a disk of this machine."""

from pathlib import Path

from sagalog.streams.errors import LogUnavailable

MOUNTS = Path("/proc/self/mounts")
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs"}
    | {"fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse"}
)


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """Raise for a network file system, where known (Linux).

    SQLite's WAL lives in memory shared by its processes; two machines share none, and
    would damage the file silently.
    """
    kind = file_system(path, mounts)
    if kind in NETWORK:
        message = f"{path} is on a network file system ({kind}), where SQLite's WAL is not safe"
        raise LogUnavailable(f"{message}. Choose a local disk; to share a log, use Kafka")


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that holds `path`; empty when it cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    folder, best = path.parent.resolve(), (-1, "")
    for line in lines:
        _, mounted, kind, *_ = line.split(" ")
        point = mounted.encode().decode("unicode_escape")
        if folder.is_relative_to(point) and len(point) >= best[0]:
            best = (len(point), kind)
    return best[1]
