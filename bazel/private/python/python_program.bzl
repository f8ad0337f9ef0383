"""Python programs that use the Python of the machine or image."""

load("//bazel/private:label_text.bzl", "label_text")
load("//bazel/private:module_choice.bzl", "module_targets")
load("//bazel/private:runfiles.bzl", "FIND_RUNFILES", "launcher_script", "runfiles_path", "shell_quote")
load("//bazel/private:runfiles_parts.bzl", "merge_parts")
load(":python_imports.bzl", "python_imports")
load(":python_info.bzl", "PythonInfo")
load(":python_library.bzl", "PYTHON_LIBRARY_ATTRS", "python_import", "python_info", "python_runfiles")

# Packages with native modules need one Python version. Without this check, the error would be a missing module.
_VERSIONED = """python=$(command -v python{version}) || {{
  python=python3
  python3 -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "{version}")' || {{
    echo {label}": its packages are for Python {version}, but python3 is another version, or missing." >&2
    echo "Install Python {version}, or set python_version where the packages are declared." >&2
    exit 2
  }}
}}
"""

# Outside of images, a program sees neither the packages of the machine nor the hooks that they start with every program: an
# image has neither. A virtual environment of its own, made once per interpreter, is Python's way to say so. A version
# manager's script is asked each time which interpreter it starts. Without such a folder of this user: no packages at all.
_ISOLATED = """site=
case $r in
  /app/*) ;;
  *)
    unset PYTHONPATH
    cache=${TEST_TMPDIR:-${XDG_CACHE_HOME:-$HOME/.cache}/slipway}/python
    found=$(command -v "$python")
    {
      # Asking pyenv's script takes longer than Python itself.
      case $found in
        */shims/*)
          version=$PYENV_VERSION folder=$PWD root=${found%/shims/*}
          while [ ! "$version" ] && [ "$folder" ]; do
            [ ! -r "$folder/.python-version" ] || read -r version <"$folder/.python-version"
            folder=${folder%/*}
          done
          [ "$version" ] || [ ! -r "$root/version" ] || read -r version <"$root/version"
          chosen=$root/versions/$version/bin/${found##*/}
          # A version is a name, not a path.
          [ "$version" != "${version#*/}" ] || [ ! -x "$chosen" ] || found=$chosen
          ;;
      esac
      own=$cache$found
      [ "$own/bin/python3" -ef "$found" ] || {
        base=$("$python" -ISc 'import sys; print(sys._base_executable)') && [ -x "$base" ] &&
          { [ "$base" -ef "$found" ] || own=$cache$base; } &&
          { [ "$own/bin/python3" -ef "$base" ] || (umask 077 && mkdir -p "$own/bin" && [ -O "$own" ] &&
            printf 'home = %s\\ninclude-system-site-packages = false\\n' "${base%/*}" >"$own/$$" &&
            mv "$own/$$" "$own/pyvenv.cfg" && ln -s "$base" "$own/bin/$$" && mv "$own/bin/$$" "$own/bin/python3"); }
      }
    } 2>/dev/null && [ -O "$own" ] && python=$own/bin/python3 || site=-S
    ;;
esac
"""

# Only rules_python knows the import folders of its targets. Each of its packages has this folder.
_SITE_PACKAGES = """for folder in "$r"/*/site-packages; do
  [ ! -d "$folder" ] || PYTHONPATH=$PYTHONPATH:$folder
done
"""

def _python_program_impl(ctx):
    info = python_info(ctx, imports = [])
    versions = info.versions.to_list()
    if len(versions) > 1:
        fail("{}: its packages are for several versions of Python: {}.\nDeclare all of them with the same python_version.".format(ctx.label, ", ".join(versions)))
    own = [python_import(ctx, folder) for folder in ["."] + ctx.attr.imports] + [ctx.workspace_name]
    imports = {path: None for path in own + info.imports.to_list()}
    python_path = "PYTHONPATH={}${{PYTHONPATH:+:$PYTHONPATH}}\nexport PYTHONPATH\n".format(
        ":".join(["\"$r\"/" + shell_quote(path) for path in imports]),
    )
    script = ctx.actions.declare_file(ctx.label.name)
    if ctx.attr.module:
        if [character for character in ctx.attr.module.elems() if not (character.isalnum() or character in "._")]:
            fail("{}: {} is not the name of a Python module.\nWrite it as `python3 -m` takes it: package.module.".format(ctx.label, repr(ctx.attr.module)))
        if [target for target in ctx.attr.deps if PythonInfo not in target]:
            python_path += _SITE_PACKAGES
        text = FIND_RUNFILES + "export RUNFILES_DIR=\"$r\"\n" + python_path + "exec /usr/bin/python3 -m {} \"$@\"\n".format(ctx.attr.module)
    else:
        setup = "python=python3\n"
        if versions:
            setup = _VERSIONED.format(version = versions[0], label = shell_quote(label_text(ctx.label)))

        # -P keeps the program's source folder off the import path, because it can have modules that the build does not know.
        command = ["{program}", "-P"] + ctx.attr.python_options + ["{runfiles}/" + runfiles_path(ctx, ctx.file.main)]
        text = launcher_script(command, environment = {"RUNFILES_DIR": "{runfiles}"}, setup = setup + _ISOLATED + python_path, program = "\"$python\" $site")
    ctx.actions.write(script, text, is_executable = True)
    runfiles = ctx.runfiles([script, ctx.file.main]).merge(python_runfiles(ctx))

    # With `module`, `main` is a program of its own.
    validation = [] if ctx.attr.module else python_imports(ctx, runfiles, ctx.file.main)
    return validation + [
        DefaultInfo(executable = script, files = depset([script]), runfiles = runfiles),
        merge_parts(ctx.attr.srcs + module_targets(ctx, ctx.attr.deps) + ctx.attr.data, first_party = [script, ctx.file.main]),
        info,
        RunEnvironmentInfo(environment = ctx.attr.env),
    ]

_ATTRS = PYTHON_LIBRARY_ATTRS | {
    "main": attr.label(mandatory = True, allow_single_file = [".py"], doc = "The module that starts."),
    "env": attr.string_dict(doc = "Environment variables of `bazel run`."),
    "module": attr.string(doc = "A module that starts instead of `main`, with `/usr/bin/python3 -m`. Default: `main` starts."),
    "python_options": attr.string_list(doc = "Options of Python, for example `-O`."),
}

python_program = rule(
    implementation = _python_program_impl,
    executable = True,
    provides = [PythonInfo],
    doc = "A Python program. Import modules by their path in the repository, or from the folder of `main`.",
    attrs = _ATTRS,
)

python_test = rule(
    implementation = _python_program_impl,
    test = True,
    provides = [PythonInfo],
    doc = "A test that is a Python program.",
    attrs = _ATTRS,
)
