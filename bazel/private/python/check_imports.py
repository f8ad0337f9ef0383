"""Finds imports of modules that a target does not have."""

import ast
import json
import sys

_PROVIDED = sys.stdlib_module_names | {"__main__", "test"}

# Conditions and handlers with which a program says that a module may be missing.
_CONDITIONS = {"TYPE_CHECKING", "find_spec", "platform", "version_info"}
_ERRORS = {"BaseException", "Exception", "ImportError", "ModuleNotFoundError"}


def _names(node):
    return {getattr(each, "id", getattr(each, "attr", None)) for each in ast.walk(node)}


class _Imports(ast.NodeVisitor):
    """The imports that must succeed: (node, level, module, names of `from`)."""

    def __init__(self):
        self.found = []

    def visit_Try(self, node):
        if all(handler.type and not _names(handler.type) & _ERRORS for handler in node.handlers):
            self.generic_visit(node)

    def visit_If(self, node):
        if not _names(node.test) & _CONDITIONS:
            self.generic_visit(node)

    def visit_With(self, node):
        # contextlib.suppress
        if not any(_names(item.context_expr) & _ERRORS for item in node.items):
            self.generic_visit(node)

    def visit_Import(self, node):
        self.found += [(alias, 0, alias.name, []) for alias in node.names]

    def visit_ImportFrom(self, node):
        self.found.append((node, node.level, node.module or "", [alias.name for alias in node.names]))


def _imports(source):
    imports = _Imports()
    try:
        imports.visit(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Of a newer Python, or for it to report.
        return []
    return imports.found


def _parts(path):
    folder, _, name = path.rpartition("/")
    return [part for part in folder.split("/") if part] + [name.partition(".")[0]]


class _Modules:
    """Modules by every end of their dotted path: programs add folders to `sys.path`, and rules have `imports`."""

    def __init__(self, paths):
        self.files = {}
        self.folders = set()
        for path in paths:
            parts = _parts(path)
            for start in range(len(parts)):
                self.files.setdefault(".".join(parts[start:]), set()).add(path)
                self.folders.update(".".join(parts[start:end]) for end in range(start + 1, len(parts)))

    def __contains__(self, name):
        return name in self.files or name in self.folders

    def missing(self, module, names):
        """The names of an import that are neither here nor can be attributes of a module."""
        if module and module not in self:
            return [module]
        if module in self.files or module + ".__init__" in self.files:
            return []
        return [name for name in (".".join(filter(None, [module, each])) for each in names if each != "*") if name not in self]

    def used(self, module, names):
        """The files that an import runs."""
        parents = module.split(".")
        for name in [".".join(parents[:end]) for end in range(1, len(parents) + 1)] + ["{}.{}".format(module, each) for each in names]:
            yield from self.files.get(name, ())
            yield from self.files.get(name + ".__init__", ())


def check_imports(sources, start, modules, packages):
    """The imports of modules that are missing, as (path, line, column, module, whether it is a local one).

    Args:
        sources: dict of path to content.
        start: the sources that are used in any case. They import the others.
        modules: the paths of all modules, except those of packages.
        packages: the names of packages, of which every module exists. None: there are modules without a known path.
    """
    local = _Modules(modules)
    others = _PROVIDED | (packages or set())
    missing = []
    waiting = list(start)
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        for node, level, module, names in _imports(sources[path]):
            if level:
                parents = _parts(path)[:-level]
                module = ".".join(parents + ([module] if module else []))
            elif packages is None or module.partition(".")[0] in others:
                continue
            is_local = level > 0 or module.partition(".")[0] in local
            for name in local.missing(module, names):
                missing.append((path, node.lineno, node.col_offset + 1, name, is_local))
            for used in local.used(module, names):
                if used in sources and used not in seen:
                    seen.add(used)
                    waiting.append(used)
    return sorted(missing)


def answer(request):
    """`check_imports` for a request in JSON, whose sources are files."""
    request = json.loads(request)
    sources = {}
    for path, file in request["sources"].items():
        with open(file, "rb") as source:
            sources[path] = source.read()
    packages = None if request["packages"] is None else set(request["packages"])
    return json.dumps(check_imports(sources, request["start"] or list(sources), request["modules"], packages))
