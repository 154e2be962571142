"""Does what a container engine would do with the Dockerfile, where none is: its own steps, on this machine's base.

A program of its own, started as root in a mount namespace, so that every mount ends with it. A stage is an overlay on
this machine's root (Debian, as the base of the image) with this Python at /usr/local, where the image has it; what the
base image does not have is hidden. A run gets its own mount namespace: the root read-only, the volumes over it, the
declared user, environment, folder and command, no capabilities. It reads requests and writes answers, one JSON
document a line. A step that it does not know is an error, never skipped.
"""

from __future__ import annotations

import ctypes
import fcntl
import io
import json
import os
import shlex
import shutil
import signal
import socket
import stat
import string
import struct
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dockerfile_parse
from docker.utils.build import exclude_paths

BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "usr", "etc", "var", "dev", "proc", "sys", "run"}
EMPTY = ("tmp", "root", "home", "opt", "srv", "mnt", "media", "var/lib/docker")
"""Folders that a base image has, with nothing in them."""
NO_TOOLS = ("cc", "gcc", "g++", "c++", "make", "git", "curl", "wget", "cargo", "rustc", "docker", "python3", "pip")
"""What /usr/bin has on machines where people work, and the slim base has not."""
BUILDER = ("PIP_", "SSL_CERT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""What the machine says about its package index and its way there; an engine hands these to build steps too."""
CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1


@dataclass
class Stage:
    """A root file system on its way to become an image, and what it says about how to run it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    args: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    workdir: str = "/"
    labels: dict[str, str] = field(default_factory=dict)
    volumes: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    stopsignal: str = "SIGTERM"

    def filled_in(self, text: str) -> str:
        return string.Template(text).safe_substitute(self.args | self.env)

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / os.path.normpath(os.path.join(self.workdir, path)).lstrip("/")


class Engine:
    """Builds the image and runs commands in it."""

    def __init__(self, context: Path, work: Path) -> None:
        self.context, self.work = context, work
        self.stages: list[tuple[str, Stage]] = []
        self.pip_cache = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")
        mount("-t", "tmpfs", "-o", "mode=755", "pmosync-image", work)

    def build(self) -> Stage:
        """Carry out the Dockerfile; the last stage is the image."""
        text = (self.context / "Dockerfile").read_text("utf-8")
        steps = dockerfile_parse.DockerfileParser(fileobj=io.BytesIO(text.encode())).structure
        before: dict[str, str] = {}
        for step in steps:
            name, value = step["instruction"], step["value"]
            if name == "COMMENT":
                continue
            if name == "ARG" and not self.stages:
                key, _, default = value.partition("=")
                before[key] = default
            elif name == "FROM":
                self.begin(string.Template(value).substitute(before))
            else:
                getattr(self, f"do_{name.lower()}")(self.stages[-1][1], value)
        return self.stages[-1][1]

    def begin(self, value: str) -> None:
        """A new stage on the base."""
        words = value.split()
        name = words[2] if len(words) == 3 and words[1].lower() == "as" else str(len(self.stages))
        self.stages.append((name, Stage(base(self.work / f"stage{len(self.stages)}"))))

    def do_arg(self, stage: Stage, value: str) -> None:
        key, _, default = value.partition("=")
        stage.args[key] = default

    def do_env(self, stage: Stage, value: str) -> None:
        stage.env |= {key: stage.filled_in(text) for key, text in pairs(value)}

    def do_label(self, stage: Stage, value: str) -> None:
        stage.labels |= {key: stage.filled_in(text) for key, text in pairs(value)}

    def do_workdir(self, stage: Stage, value: str) -> None:
        stage.workdir = os.path.join(stage.workdir, value)
        stage.inside(".").mkdir(parents=True, exist_ok=True)

    def do_copy(self, stage: Stage, value: str) -> None:
        words = shlex.split(value)
        origin = self.context
        files = sorted(exclude_paths(str(self.context), ignored(self.context))) if not words[0].startswith("--") else []
        if words[0].startswith("--from="):
            origin = dict(self.stages)[words.pop(0).removeprefix("--from=")].root
        *sources, target = words
        assert not any(word.startswith("--") for word in sources), value
        for source in sources:
            destination = stage.inside(target)
            if origin is self.context:
                chosen(self.context, files, source, destination / source if target.endswith("/") else destination)
            else:
                shutil.copytree(origin / source.lstrip("/"), destination, symlinks=True, dirs_exist_ok=True)

    def do_run(self, stage: Stage, value: str) -> None:
        """A line for the shell, as root; a cache that it mounts is this machine's."""
        value = stage_mounts(value, stage, self.pip_cache)
        outer = {key: text for key, text in os.environ.items() if key.startswith(BUILDER)}
        line = ["chroot", str(stage.root), "/bin/sh", "-ceu", f"cd {shlex.quote(stage.workdir)}\n{value}"]
        done = subprocess.run(
            line, env=outer | {"HOME": "/root"} | stage.args | stage.env, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"RUN {value}\nended with {done.returncode}\n{done.stdout}\n{done.stderr}")

    def do_user(self, stage: Stage, value: str) -> None:
        stage.user = value

    def do_volume(self, stage: Stage, value: str) -> None:
        stage.volumes += json.loads(value)

    def do_expose(self, stage: Stage, value: str) -> None:
        int(value)

    def do_stopsignal(self, stage: Stage, value: str) -> None:
        stage.stopsignal = value

    def do_healthcheck(self, stage: Stage, value: str) -> None:
        stage.healthcheck = json.loads(value[value.index("[") :])

    def do_entrypoint(self, stage: Stage, value: str) -> None:
        stage.entrypoint = json.loads(value)

    def do_cmd(self, stage: Stage, value: str) -> None:
        stage.cmd = json.loads(value)


def base(folder: Path) -> Path:
    """A root like that of the base image: this machine's system, this Python, and nothing of whoever works here."""
    upper, scratch, root = folder / "upper", folder / "scratch", folder / "root"
    for each in (upper, scratch, root):
        each.mkdir(parents=True)
    upper.chmod(0o755)
    for name in os.listdir("/"):
        if name not in SYSTEM and name not in EMPTY and not os.path.islink(f"/{name}"):
            os.mknod(upper / name, stat.S_IFCHR)  # an overlay takes this for "removed"
    for name in (*EMPTY, "usr/local"):
        hollow(upper / name)
    for name in NO_TOOLS:
        if os.path.lexists(f"/usr/bin/{name}"):
            (upper / "usr/bin").mkdir(parents=True, exist_ok=True)
            os.mknod(upper / "usr/bin" / name, stat.S_IFCHR)
    mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={scratch}", "overlay", root)
    mount("--rbind", "/dev", root / "dev")
    mount("-t", "proc", "proc", root / "proc")
    (root / "tmp").chmod(0o1777)
    python(root / "usr/local")
    subprocess.run(["chroot", str(root), "/sbin/ldconfig"], check=True)
    return root


def hollow(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    os.setxattr(folder, "trusted.overlay.opaque", b"y")


def python(local: Path) -> None:
    """This Python where the base image has its own."""
    if sys.base_prefix != "/usr":
        mount("--bind", sys.base_prefix, local)
        return
    (local / "bin").mkdir()
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(os.path.realpath(sys.executable))


def stage_mounts(value: str, stage: Stage, pip_cache: Path) -> str:
    """The command without its `--mount=type=cache,...`, which is mounted until the namespace ends."""
    while value.startswith("--mount="):
        option, value = value.split(maxsplit=1)
        said = dict(pair.split("=", 1) for pair in option.removeprefix("--mount=").split(","))
        assert said.keys() == {"type", "target"}, option
        assert said["type"] == "cache", option
        target = stage.inside(said["target"])
        target.mkdir(parents=True, exist_ok=True)
        pip_cache.mkdir(parents=True, exist_ok=True)
        mount("--bind", pip_cache, target)
    return value


def pairs(value: str) -> Iterable[tuple[str, str]]:
    for word in shlex.split(value):
        key, _, text = word.partition("=")
        yield key, text


def ignored(context: Path) -> list[str]:
    lines = (context / ".dockerignore").read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def chosen(context: Path, files: Iterable[str], source: str, destination: Path) -> None:
    """Copy one file or the content of one folder, of what .dockerignore lets through; all of it belongs to root."""
    found = [name for name in files if name == source or name.startswith(f"{source}/")]
    found = [name for name in found if not (context / name).is_dir()]
    assert found, f"COPY {source}: there is nothing of that name in the context"
    for name in found:
        target = destination if name == source else destination / name.removeprefix(f"{source}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(context / name, target)
        target.chmod(0o755 if os.access(context / name, os.X_OK) and os.stat(context / name).st_mode & 0o111 else 0o644)


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def own_loopback() -> None:
    """From here on a network of nothing but a loopback of its own: no port is taken, and nothing outside is reached."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "no network namespace")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


# --- running ----------------------------------------------------------------------------------------------------------


def line(stage: Stage, request: Mapping[str, Any]) -> list[str]:
    """The whole command of one run: mounts of its own, then the root, the user, the folder, the words."""
    root = shlex.quote(str(stage.root))
    steps = []
    for one in request["mounts"]:
        target = stage.inside(one["target"])
        place(target, folder="source" not in one or os.path.isdir(one["source"]))
        there = shlex.quote(str(target))
        if "source" not in one:
            steps.append(f"mount -t tmpfs -o {shlex.quote(one.get('options', 'mode=1777'))} tmpfs {there}")
        else:
            steps.append(f"mount --bind {shlex.quote(one['source'])} {there}")
            if one.get("read_only"):
                steps.append(f"mount -o remount,bind,ro {there}")
    if request["read_only"]:
        steps[:0] = [f"mount --rbind {root} {root}", f"mount -o remount,bind,ro {root}"]
    uid, _, gid = stage.user.partition(":")
    drop = f"--reuid={uid} --regid={gid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all"
    go = shlex.quote('cd "$0" && exec "$@"')
    steps.append(f'exec chroot {root} setpriv {drop} sh -c {go} {shlex.quote(stage.workdir)} "$@"')
    words = request["words"] if request["whole"] else [*stage.entrypoint, *(request["words"] or stage.cmd)]
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ceu", "\n".join(steps), "run", *words]


def place(target: Path, folder: bool) -> None:
    """Something to mount over; in a folder that is mounted itself it is there already."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        target.mkdir()
    else:
        target.touch()


def answers(context: Path, work: Path) -> Iterable[dict[str, Any]]:
    """Build, then answer one request after the other."""
    stage = Engine(context, work).build()
    own_loopback()
    shown = ("env", "user", "workdir", "labels", "volumes", "entrypoint", "cmd", "healthcheck", "stopsignal")
    yield {name: getattr(stage, name) for name in shown} | {"root": str(stage.root)}
    running: dict[int, subprocess.Popen[str]] = {}
    for text in sys.stdin:
        request = json.loads(text)
        if "stop" in request:
            process = running.pop(request["stop"])
            process.send_signal(signal.Signals[stage.stopsignal])
            out, err = process.communicate(timeout=request["timeout_s"])
            yield {"code": process.returncode, "out": out, "err": err}
            continue
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            line(stage, request),
            env=stage.env | request["env"],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        if request["background"]:
            running[process.pid] = process
            yield {"pid": process.pid}
            continue
        out, err = process.communicate(timeout=request["timeout_s"])
        yield {"code": process.returncode, "out": out, "err": err}


if __name__ == "__main__":
    for answer in answers(Path(sys.argv[1]), Path(sys.argv[2])):
        print(json.dumps(answer), flush=True)
