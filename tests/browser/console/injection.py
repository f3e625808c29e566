"""Texts that attack whoever shows them, and what tells that one got through."""

from playwright.sync_api import Page

MARK = "data-attack"
# Each leaves an element with the mark, or runs `attacked`, where something takes it for more than text.
PAYLOADS = [
    f"<script {MARK}>attacked()</script>",
    f'"><img {MARK} src=x onerror=attacked()>',
    f"'><svg {MARK} onload=attacked()>",
    f"</textarea></title></style></script><img {MARK} src=x onerror=attacked()>",
    f'"><b {MARK} x-data x-init=attacked() hx-get=/console/ hx-trigger=load>bold</b>',
    f'" {MARK} autofocus onfocus="attacked()" x-init="attacked()',
    "[link](javascript:attacked())",
    "javascript:attacked()",
    f"<a {MARK} href=javascript:attacked()>link</a>",
    f"{{{{ attacked() }}}}{{% debug %}}${{attacked()}}`-attacked()-'<i {MARK}>",
]
SHORT = f"'\"><i {MARK}>"  # for what takes few characters

_WATCH = "window.attacked = () => { window.wasAttacked = true; };"
_FIND = f"""() => {{
  const found = document.querySelectorAll("[{MARK}], [href^='javascript:'], [src='x'], [onfocus], [x-init^=attacked]");
  return [...found].map((each) => each.outerHTML.slice(0, 200)).concat(window.wasAttacked ? ["a script ran"] : []);
}}"""


def watch(page: Page) -> None:
    """Gives every page to come the function that the attacks call."""
    page.add_init_script(_WATCH)


def attacks_on(page: Page) -> list[str]:
    """What of the attacks is more than text on this page."""
    found: list[str] = page.evaluate(_FIND)
    return found
