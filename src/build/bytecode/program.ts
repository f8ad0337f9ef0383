/**
 * An unchecked hash-based `.pyc` (PEP 552). `marshal.dumps` depends on reference counts, so on what ran before. To give
 * the same bytes always, this program shares strings by value and interns them as the compiler does.
 */
export const program = `
import _imp
import marshal
import warnings
from importlib.util import MAGIC_NUMBER, _RAW_MAGIC_NUMBER
from struct import pack

warnings.simplefilter("ignore")


def dumps(code):
    out = bytearray()
    seen = {}

    def sized(kind, count):
        out.extend(pack("<cI", kind, count))

    def text(value):
        if value in seen:
            sized(b"r", seen[value])
            return
        seen[value] = len(seen)
        data = value.encode("utf-8", "surrogatepass")
        interned = value.isidentifier() or value.isascii() and value.replace("_", "a").isalnum()
        is_short = value.isascii() and len(data) < 256
        kind = ("Z" if interned else "z") if is_short else ("A" if interned else "a") if value.isascii() else "t" if interned else "u"
        out.append(ord(kind) | 0x80)
        out.extend(pack("B" if is_short else "<I", len(data)))
        out.extend(data)

    def dump(value):
        if isinstance(value, str):
            text(value)
        elif isinstance(value, tuple):
            sized(b"(", len(value))
            for member in value:
                dump(member)
        elif isinstance(value, frozenset):
            sized(b">", len(value))
            for member in sorted(value, key=lambda member: (type(member).__name__, repr(member))):
                dump(member)
        elif isinstance(value, type(code)):
            function(value)
        else:
            # Version 2 shares nothing.
            out.extend(marshal.dumps(value, 2))

    def function(code):
        cells = [name for name in code.co_cellvars if name not in code.co_varnames]
        kinds = [0x60 if name in code.co_cellvars else 0x20 for name in code.co_varnames] + [0x40] * len(cells) + [0x80] * len(code.co_freevars)
        out.extend(pack("<c5I", b"c", code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_stacksize, code.co_flags))
        names = (*code.co_varnames, *cells, *code.co_freevars)
        for value in [code.co_code, code.co_consts, code.co_names, names, bytes(kinds), code.co_filename, code.co_name, code.co_qualname]:
            dump(value)
        out.extend(pack("<I", code.co_firstlineno))
        dump(code.co_linetable)
        dump(code.co_exceptiontable)

    dump(code)
    return out


def compile_module(path):
    with open("/tmp/source", "rb") as file:
        source = file.read()
    try:
        code = dumps(compile(source, path, "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    with open("/tmp/bytecode", "wb") as file:
        file.write(MAGIC_NUMBER + pack("<I", 1) + _imp.source_hash(_RAW_MAGIC_NUMBER, source) + code)
    return True
`;
