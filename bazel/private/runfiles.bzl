"""Paths in a runfiles tree, and scripts that find the tree."""

def runfiles_path(ctx, file):
    """The path of a file in the runfiles tree, starting with its repository: `_main/pkg/file`.

    Args:
      ctx: the rule context, for the name of the main repository.
      file: File.

    Returns:
      string, without a leading slash.
    """
    path = file.short_path
    return path[3:] if path.startswith("../") else ctx.workspace_name + "/" + path

def shell_quote(text):
    """Quotes a string as one word of /bin/sh."""
    return "'" + text.replace("'", "'\\''") + "'"

# The start of a /bin/sh script: sets `$r` to its runfiles folder. You can start a program by its path, through a link, or from another program's
# runfiles.
FIND_RUNFILES = """#!/bin/sh
case $0 in
  *.runfiles/*) r=${0%%.runfiles/*}.runfiles ;;
  *)
    p=$0
    while [ ! -d "$p.runfiles" ] && [ -L "$p" ]; do
      # An image without readlink (no coreutils) says where its runfiles are.
      command -v readlink >/dev/null || { p=${RUNFILES_DIR%.runfiles}; break; }
      l=$(readlink "$p")
      case $l in /*) p=$l ;; *) p=${p%/*}/$l ;; esac
    done
    case $p in *.runfiles/*) r=${p%%.runfiles/*}.runfiles ;; *) r=$p.runfiles ;; esac
    ;;
esac
case $r in /*) ;; *) r=$PWD/$r ;; esac
"""

def launcher_script(command, environment = {}, setup = "", program = None):
    """The text of a /bin/sh script that finds its runfiles and executes a command.

    Args:
      command: list of strings: the words of the command. `{runfiles}` is the runfiles folder. The script's arguments follow.
      environment: dict of strings: variables of the command. `{runfiles}` is the runfiles folder.
      setup: string: lines of /bin/sh to run before the command. `$r` is the runfiles folder.
      program: string or None: words of /bin/sh that replace the word `{program}` of the command, with variables that `setup` sets.

    Returns:
      string.
    """

    def word(text):
        if program and text == "{program}":
            return program
        return "\"$r\"".join([shell_quote(part) if part else "" for part in text.split("{runfiles}")])

    exports = ["export {}={}\n".format(name, word(value)) for name, value in environment.items()]
    return FIND_RUNFILES + "".join(exports) + setup + "exec " + " ".join([word(w) for w in command]) + " \"$@\"\n"
