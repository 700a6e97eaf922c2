"""The public names and signatures are those of `public_api.txt`. To renew it: `python -m tests.test_public_api`."""

import ast
import difflib
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[1]
SNAPSHOT = pathlib.Path(__file__).parent / "public_api.txt"


def source(module):
    """The syntax tree of a module, of a package's stub where it has one, and whether it is a package."""
    path = ROOT / pathlib.Path(*module.split("."))
    for file in (path / "__init__.pyi", path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return ast.parse(file.read_text()), file.stem == "__init__"
    return None, False


def exported(tree):
    """The names that a package offers: all of its stub, or those in `__all__`; None where it does not say."""
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == "__all__"
            and isinstance(node.value, ast.List)
        ):
            return ast.literal_eval(node.value)
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imported for alias in node.names if alias.asname == alias.name]
    return names or None  # `from x import y as y`, as a stub does it


def lines(module, name):
    """A line for the name and, of a class, one for each public member that it defines."""
    tree, package = source(module)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            yield f"{name}{signature(node)}"
            return
        if isinstance(node, ast.ClassDef) and node.name == name:
            yield f"class {name}({', '.join(map(ast.unparse, node.bases))})"
            yield from members(name, node)
            return
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and name in targets(node):
            yield name
            return
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            base = module if package else module.rpartition(".")[0]
            target = f"{base}.{node.module}" if node.level and node.module else (node.module or base)
            if source(f"{target}.{name}")[0]:
                yield from package_lines(f"{target}.{name}")
            else:
                yield from lines(target, name)
            return
    raise LookupError(f"{module} has no {name}")


def package_lines(module):
    tree, _ = source(module)
    yield f"module {module}"
    for name in sorted(exported(tree) or ()):
        yield from (f"    {line}" for line in lines(module, name))


def members(owner, node):
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and (part.name == "__init__" or not part.name.startswith("_")):
            decorators = [ast.unparse(decorator) for decorator in part.decorator_list]
            kind = "property " if any("property" in decorator for decorator in decorators) else ""
            yield f"    {kind}{owner}.{part.name}{signature(part)}"
        elif isinstance(part, ast.AnnAssign) and not ast.unparse(part.target).startswith("_"):
            yield f"    {owner}.{ast.unparse(part)}"


def signature(node):
    return f"({ast.unparse(node.args)})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")


def targets(node):
    return [ast.unparse(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])]


def current():
    tree, _ = source("ae_zoo")
    return "\n".join(line for name in sorted(exported(tree)) for line in lines("ae_zoo", name)) + "\n"


def test_the_public_names_are_those_that_were_agreed():
    found, agreed = current(), SNAPSHOT.read_text()
    if found != agreed:
        difference = "\n".join(
            difflib.unified_diff(agreed.splitlines(), found.splitlines(), "agreed", "found", lineterm="")
        )
        pytest.fail(f"Public names changed. If this is meant: python -m tests.test_public_api\n{difference}")


if __name__ == "__main__":
    SNAPSHOT.write_text(current())
