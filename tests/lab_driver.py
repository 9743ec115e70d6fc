"""A real JupyterLab with a headless Chromium before it, to use a notebook as a reader does."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing outside is reached
)
SETTINGS = {  # of JupyterLab: nothing is saved by itself, no cell is taken out of the page, no news
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
READY = """(name) => {
  const app = window.jupyterapp;
  const panel = app && [...app.shell.widgets('main')].find(w => w.context?.path === name);
  const kernel = panel?.context.isReady && panel.sessionContext.session?.kernel;
  if (!kernel) return false;
  window.panel = panel;
  return kernel.status === 'idle';
}"""
RUN_ALL = """() => {
  window.ran = false;
  window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => { window.ran = true; });
}"""
DONE = "() => window.ran && window.panel.sessionContext.session.kernel.status === 'idle'"
CONTROLS = """() => {
  const all = 'button, input, select, textarea, .noUi-handle';
  window.controls = [...document.querySelector('.nstlab-lab').querySelectorAll(all)].filter(
    each => !each.disabled && each.offsetParent !== null && each.type !== 'file');
  return window.controls.map(each => each.tagName + ' ' + each.innerText);
}"""
FOCUSED = "() => window.controls.indexOf(document.activeElement)"
ERRORS = """() => window.panel.content.model.toJSON().cells.flatMap((cell, index) =>
  (cell.outputs || []).filter(o => o.output_type === 'error')
    .map(o => `cell ${index}: ${o.ename}: ${o.evalue}`))"""


def find_browser() -> str | None:
    """The path of a Chromium, or None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def jupyter_lab(folder: Path, scratch: Path) -> Iterator[tuple[str, str]]:
    """Address and token of a JupyterLab over a folder, with settings of its own."""
    for name, values in SETTINGS.items():
        file = scratch / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    token, address = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    own = {
        "JUPYTER_TOKEN": token,
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "NSTLAB_FAST": "1",
        "NSTLAB_NO_PROGRESS": "1",
    }
    words = [sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser"]
    words += ["--ip=127.0.0.1", f"--port={port}", f"--ServerApp.root_dir={folder}"]
    words += ["--ServerApp.port_retries=0", "--LabApp.news_url=None", "--allow-root"]
    log = (scratch / "jupyter.log").open("wb")
    server = subprocess.Popen(words, env={**os.environ, **own}, cwd=folder, stdout=log, stderr=log)

    def ask(place: str, method: str = "GET") -> bytes:
        wanted = urllib.request.Request(
            address + place, method=method, headers={"Authorization": f"token {token}"}
        )
        with urllib.request.urlopen(wanted, timeout=10) as answer:
            return answer.read()

    try:
        end = time.monotonic() + 90
        while True:
            try:
                ask("/api/status")
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((scratch / "jupyter.log").read_text()) from None
                time.sleep(0.2)
        yield address, token
    finally:
        with suppress(Exception):
            for session in json.loads(ask("/api/sessions")):
                ask(f"/api/sessions/{session['id']}", "DELETE")
            ask("/api/shutdown", "POST")
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
        log.close()


class Reader:
    """Somebody before an open notebook."""

    def __init__(self, page: "Page", name: str) -> None:
        """Wait until the notebook is open and its kernel idle."""
        self.page = page
        page.wait_for_function(READY, arg=name, timeout=120_000)
        page.evaluate("() => window.jupyterapp.shell.collapseLeft()")

    def run_all(self, seconds: float = 300) -> None:
        """Run all cells; an error in one of them is raised."""
        self.page.evaluate(RUN_ALL)
        self.page.wait_for_function(DONE, timeout=1000 * seconds)
        assert self.page.evaluate(ERRORS) == []

    def control(self, name: str) -> "Locator":
        """What one moves with the keyboard: a handle of a slider or a dropdown, by its label."""
        kinds = (".noUi-handle", "select")
        boxes = ", ".join(f".widget-inline-hbox:has({kind})" for kind in kinds)
        label = self.page.locator(".widget-label", has_text=name)
        return self.page.locator(boxes).filter(has=label).last.locator(", ".join(kinds)).first

    def press(self, name: str) -> None:
        """Press a button, by the words on it."""
        self.page.locator("button.jupyter-button", has_text=name).first.click()

    def turn_to(self, tab: str) -> None:
        """Bring a tab of a widget to the front."""
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def drag(self, name: str, pixels: int) -> None:
        """Move the handle of a slider to the right with the mouse, in ten small moves."""
        handle = self.control(name)
        handle.scroll_into_view_if_needed()
        box = handle.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + pixels, y, steps=10)
        self.page.mouse.up()

    def wait_for_number(self, name: str, number: str, seconds: float = 10) -> None:
        """Wait until a slider says a number."""
        row = self.page.locator(".widget-inline-hbox:has(.widget-readout)")
        label = self.page.locator(".widget-label", has_text=name)
        said = row.filter(has=label).last.locator(".widget-readout", has_text=number)
        said.wait_for(timeout=1000 * seconds)

    def out_of_reach(self) -> list[str]:
        """Controls of the lab that Tab, pressed again and again, does not reach."""
        found = self.page.evaluate(CONTROLS)
        self.page.locator(".nstlab-lab [role=tab][aria-selected=true]").focus()
        left = set(range(len(found)))
        for _ in range(2 * len(found) + 4):  # a slider's number is a stop of its own
            self.page.keyboard.press("Tab")
            left.discard(self.page.evaluate(FOCUSED))
        return [found[number] for number in sorted(left)]

    def upload(self, file: Path, number: int = 0) -> None:
        """Hand a file to one of the upload buttons."""
        with self.page.expect_file_chooser() as chosen:
            self.page.locator("button.jupyter-button", has_text="your own").nth(number).click()
        chosen.value.set_files(file)

    def wait_for_words(self, words: str, seconds: float = 20) -> None:
        """Wait until a widget says something."""
        said = self.page.locator(".widget-html, .widget-label", has_text=words).first
        said.wait_for(timeout=1000 * seconds)

    def shown(self) -> str:
        """A fingerprint of the last picture that a widget shows; of the lab the one that it makes.

        In the lab that is the one with its class; elsewhere there is none of that class.
        """
        pictures = self.page.locator("img.nstlab-picture")
        if not pictures.count():
            pictures = self.page.locator("img.widget-image")
        return pictures.last.evaluate(
            """async image => {
              const data = await (await fetch(image.src)).arrayBuffer();
              const digest = await crypto.subtle.digest('SHA-256', data);
              return data.byteLength + ':' + [...new Uint8Array(digest)].join();
            }"""
        )

    def wait_for_another(self, before: str, seconds: float = 10) -> str:
        """The fingerprint of the next picture; fails if it stays the same."""
        end = time.monotonic() + seconds
        while (now := self.shown()) == before:
            assert time.monotonic() < end, "the picture stayed as it was"
            self.page.wait_for_timeout(50)
        return now


@contextmanager
def reading(notebook: Path, scratch: Path, width: int = 1280) -> Iterator[Reader]:
    """Open a copy of a notebook; the file itself is never written.

    Args:
        notebook: the file.
        scratch: an empty folder.
        width: of the window, pixels.

    Yields:
        The reader. After it errors of the page, and those in callbacks of widgets, are raised.
    """
    from playwright.sync_api import sync_playwright

    folder = scratch / "notebooks"
    folder.mkdir()
    shutil.copy(notebook, folder)
    faults: list[str] = []
    with ExitStack() as stack:
        address, token = stack.enter_context(jupyter_lab(folder, scratch))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(executable_path=find_browser(), args=list(FLAGS))
        stack.callback(browser.close)
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{address}/lab/tree/{quote(notebook.name)}?token={token}")
        yield Reader(page, notebook.name)
    log = (scratch / "jupyter.log").read_text(errors="replace")
    assert "Traceback" not in log, log[-5000:]
    assert not faults
