"""Fixtures: a real daemon, as in tests/integration, and a real browser that looks at its board.

Without chromium, its driver and selenium everything here is skipped.
"""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

INTEGRATION = Path(__file__).resolve().parents[1] / "integration"
sys.path[:0] = [str(Path(__file__).parent), str(INTEGRATION)]
sys.dont_write_bytecode = True
from harness import PATIENCE_S  # noqa: E402

_spec = importlib.util.spec_from_file_location("integration_fixtures", INTEGRATION / "conftest.py")
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
pytest_sessionstart = _fixtures.pytest_sessionstart
pytest_runtest_makereport = _fixtures.pytest_runtest_makereport
tmp_path, start = _fixtures.tmp_path, _fixtures.start

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")


@pytest.fixture(scope="session")
def chromium():
    """One browser for all tests; each has tabs of its own."""
    if not CHROMIUM or not DRIVER:
        pytest.skip("no chromium and chromedriver here")
    webdriver = pytest.importorskip("selenium.webdriver", reason="no python3-selenium here")
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for argument in ("--headless=new", f"--user-data-dir={profile}", "--autoplay-policy=no-user-gesture-required",
                         *(["--no-sandbox"] if os.geteuid() == 0 else [])):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Service(DRIVER), options=options)
        driver.set_script_timeout(PATIENCE_S)  # axe-core takes a minute where others work too
        try:
            yield driver
        finally:
            with contextlib.suppress(Exception):
                driver.quit()


@pytest.fixture
def browser(chromium):
    """With nothing kept of the test before, and nothing in its log at the end that a policy or a script complains of."""
    from board import Browser

    browser = Browser(chromium)
    yield browser
    browser.finish()
