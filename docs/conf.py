"""How are these pages built: `nox -s docs`, which takes any warning for an error?

Nothing here reaches for a network, neither while building nor in a reader's browser: no fonts, no
scripts and no inventories of other projects.
"""

from __future__ import annotations

from importlib.metadata import version as installed

project = "iceye_derivatives"
author = "the authors of iceye_derivatives"
release = version = installed("iceye-derivatives")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"{project} {release}"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_block"]

# A docstring is written to be read in a terminal: `name` is a name of ours.
default_role = "code"
autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_class_signature = "mixed"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True
