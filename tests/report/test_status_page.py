"""The words of a status page, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drdrill.report.status_page import read_text, read_versions

if TYPE_CHECKING:
    from pathlib import Path


def test_only_what_a_reader_sees_is_read() -> None:
    """Lines end with blocks, and scripts, styles and the head are no text."""
    page = """<!doctype html><html><head><title>Shop</title><style>p {}</style></head>
    <body><h1>Status</h1><p>We <b>look</b>
    at it &amp; wait.</p><script>alert("no")</script><ul><li>one<li>two</ul>last"""
    assert read_text(page) == ("Status", "We look at it & wait.", "one", "two", "last")


def test_a_head_without_an_end_hides_no_body() -> None:
    """A page that leaves out the end of its head is read, and so is one that is not HTML at all."""
    assert read_text("<head><title>no</title><body><p>yes</p>") == ("yes",)
    assert read_text("all is well") == ("all is well",)
    assert read_text("") == ()


def test_a_version_says_what_is_new_in_it(tmp_path: Path) -> None:
    """What stood there before is not told again, and of equal lines the upper one is the newer."""
    (tmp_path / "1.html").write_text("<h1>Status</h1><h2>working</h2><p>We look.</p>", encoding="utf-8")
    (tmp_path / "2.html").write_text(
        "<h1>Status</h1><h2>working</h2><p>It is found.</p><h2>working</h2><p>We look.</p>", encoding="utf-8"
    )
    (tmp_path / "3.html").write_text("<h1>Status</h1>", encoding="utf-8")
    assert read_versions(tmp_path, ["1.html", "2.html", "3.html"]) == (
        "Status · working · We look.",
        "working · It is found.",
        "nothing new: something was taken away",
    )


def test_a_long_version_is_shortened(tmp_path: Path) -> None:
    """A page is not a book."""
    (tmp_path / "1.html").write_text("word " * 1000, encoding="utf-8")
    (told,) = read_versions(tmp_path, ["1.html"])
    assert len(told) <= 280
    assert told.endswith("word…")


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    """A file that is not there, or that a name leads out of the folder to, is not read, and that is said."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (folder / "bytes.html").write_bytes(b"caf\xe9")
    told = read_versions(folder, ["../secret", "gone.html", "", "bytes.html"])
    assert told == ("its text was not kept",) * 3 + ("caf\N{REPLACEMENT CHARACTER}",)
