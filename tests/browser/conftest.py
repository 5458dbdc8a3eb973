"""A real browser, and JupyterLab for it to drive: on this machine alone, on a free port."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from fledgling.core.errors import RunError
from fledgling.core.paths import ROOT
from fledgling.core.processes import end_descendants
from fledgling.reports.printing import find_browser

SCREENSHOTS = ROOT / "build" / "screenshots"
ALL_CELLS_RAN = """() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  return prompts.length && prompts.every(one => /\\[\\d+\\]/.test(one.textContent));
}"""
NOTIFICATIONS = {"fetchNews": "false", "checkForUpdates": False}  # nobody is there to answer
PATIENCE_MS = 400_000  # two busy cores start a kernel slowly; nothing here measures time


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window. Where there is none, the tests that need it are skipped, aloud.

    For a module only: while its driver lives, an event loop runs on the thread of all tests.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    try:
        path = find_browser()
    except RunError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Lab:
    """JupyterLab on a folder of its own. ``open`` shows a copy of a notebook in single-document
    mode.
    """

    def __init__(self, url: str, folder: Path, browser) -> None:
        self.url, self.folder, self.browser = url, folder, browser

    def open(self, notebook: Path, *, width: int = 1280, height: int = 900):
        """A page with the notebook, its kernel ready."""
        target = self.folder / notebook.name
        if notebook.resolve() != target.resolve():
            shutil.copy(notebook, target)
        page = self.browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{self.url}/doc/tree/{target.name}?reset")
        page.wait_for_selector(".jp-NotebookPanel-toolbar")
        self.wait_until_idle(page)
        return page

    def run_all(self, page) -> None:
        """Run every cell, as a user does from the menu, and wait for the last one."""
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        page.wait_for_function(ALL_CELLS_RAN)
        self.wait_until_idle(page)

    def wait_until_idle(self, page) -> None:
        """With a kernel: the indicator alone is idle before there is one."""
        page.wait_for_selector("#jp-main-statusbar >> text=/Python .* [|] Idle/")
        page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status="idle"]')


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory) -> Iterator[Lab]:
    """JupyterLab with settings of its own, stopped at the end with every kernel it started."""
    folder = tmp_path_factory.mktemp("lab")
    own = tmp_path_factory.mktemp("lab settings")
    chosen = own / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    chosen.parent.mkdir(parents=True)
    chosen.write_text(json.dumps(NOTIFICATIONS), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"),
        *(f"--LabApp.user_settings_dir={own}", f"--LabApp.workspaces_dir={own}"),
        *("--LabApp.extension_manager=readonly", "--LabApp.news_url="),
    ]
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(own),
        "JUPYTER_RUNTIME_DIR": str(own),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    environment.pop("FLEDGLING_HEADLESS", None)  # here somebody looks
    with (own / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for_server(url, server, own / "server.log")
        yield Lab(url, folder, browser)
    finally:
        end_descendants(server.pid)
        server.wait()


def wait_for_server(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-2000:]
        try:
            with urlopen(f"{url}/api/status", timeout=5):
                return
        except (URLError, TimeoutError):
            time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8", errors="replace")[-2000:])


@pytest.fixture
def snapshot(request) -> Callable[..., Path]:
    """``snapshot(page, "panel")``: a screenshot in build/screenshots, to be looked at."""

    def take(page, name: str) -> Path:
        path = SCREENSHOTS / f"{request.node.name}-{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(path))
        return path

    return take
