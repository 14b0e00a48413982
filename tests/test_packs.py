from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.errors import PackError
from holotype.store.location import Location
from holotype.store.packs import PackWriter
from holotype.store.store import Store
from holotype.store.tar.scan import whole_members
from holotype.store.tar.writing import tar_member


def name_of(data: bytes) -> str:
    return f"{hashlib.sha256(data).hexdigest()}.jpg"


def write(folder: Path, *contents: bytes, rotate_at: int = 1 << 30) -> list[Location]:
    with PackWriter(folder, rotate_at=rotate_at) as writer:
        addresses = []
        for data in contents:
            addresses.append(writer.append(name_of(data), data))
            writer.commit()
            writer.rotate_if_full()
    return addresses


def test_a_header_is_what_tarfile_writes() -> None:
    for name, data in (("a.jpg", b""), (name_of(b"x"), b"x" * 1000), ("n.thumb.jpg", bytes(512))):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        header, body, padding = tar_member(name, data)
        assert header == info.tobuf(tarfile.USTAR_FORMAT)
        assert (body, len(data + padding) % 512) == (data, 0)
    with pytest.raises(PackError):
        tar_member("x" * 100, b"")


def test_members_are_read_at_their_addresses_and_by_tar(tmp_path: Path) -> None:
    contents = [b"one", b"", b"x" * 512, b"y" * 100_000]
    addresses = write(tmp_path, *contents)
    reader = Store(tmp_path)
    assert [reader.read(address) for address in addresses] == contents
    reader.close()
    listed = subprocess.run(["tar", "tf", tmp_path / "pack-000000.tar"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [name_of(data) for data in contents]
    assert listed.stderr == ""


def test_a_writer_goes_on_in_the_pack_that_is_there(tmp_path: Path) -> None:
    first, second = write(tmp_path, b"one"), write(tmp_path, b"two")
    assert first[0].file == second[0].file
    with tarfile.open(tmp_path / first[0].file) as pack:
        assert pack.getnames() == [name_of(b"one"), name_of(b"two")]


def test_packs_rotate_at_a_size(tmp_path: Path) -> None:
    addresses = write(tmp_path, *(bytes([n]) * 3000 for n in range(5)), rotate_at=4000)
    assert [address.file for address in addresses] == [f"pack-{number:06d}.tar" for number in (0, 0, 1, 1, 2)]


def test_several_writers_write_several_packs(tmp_path: Path) -> None:
    with PackWriter(tmp_path) as one, PackWriter(tmp_path) as two:
        assert one.pack != two.pack
        one.append(name_of(b"1"), b"1")
        two.append(name_of(b"2"), b"2")
        one.commit()
        two.commit()
    with PackWriter(tmp_path) as three:
        assert three.pack == "pack-000000.tar"


def test_what_is_not_committed_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, b"kept")
    size = (tmp_path / "pack-000000.tar").stat().st_size
    with PackWriter(tmp_path) as writer:
        writer.append(name_of(b"forgotten"), b"forgotten")
    with PackWriter(tmp_path) as writer:
        mark = writer.end
        writer.append(name_of(b"undone"), b"undone")
        writer.commit()
        writer.undo(mark)
    assert (tmp_path / "pack-000000.tar").stat().st_size == size


@given(st.integers(0, 6000), st.binary(max_size=600))
@settings(max_examples=60)
def test_an_unfinished_tail_is_cut_off(tmp_path_factory: pytest.TempPathFactory, cut: int, garbage: bytes) -> None:
    folder = tmp_path_factory.mktemp("packs")
    contents = [b"a" * 700, b"b" * 1500, b"c" * 10]
    addresses = write(folder, *contents)
    pack = folder / "pack-000000.tar"
    known = addresses[0].offset + 1024  # the catalog knows of the first member
    whole = pack.read_bytes()
    pack.write_bytes(whole[: max(cut, known)] + garbage)
    with PackWriter(folder, lambda _: known) as writer:
        orphans = dict(writer.orphans)
        new = writer.append(name_of(b"new"), b"new")
        writer.commit()
    reader = Store(folder)
    assert reader.read(addresses[0]) == contents[0]
    assert reader.read(new) == b"new"
    for digest, address in orphans.items():
        assert hashlib.sha256(reader.read(address)).hexdigest() == digest
    reader.close()
    with tarfile.open(pack) as tar:
        names = tar.getnames()
    assert names[0] == name_of(contents[0])
    assert names[-1] == name_of(b"new")
    assert set(names[1:-1]) == {f"{digest}.jpg" for digest in orphans}
    if cut >= addresses[2].offset + 512:
        assert len(orphans) == 2


def test_a_tail_of_anything_but_files_is_cut_off(tmp_path: Path) -> None:
    write(tmp_path, b"kept" * 300)
    pack = tmp_path / "pack-000000.tar"
    whole = pack.read_bytes()
    link = tarfile.TarInfo(name_of(b"link"))
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    pack.write_bytes(whole[:-1024] + link.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    with PackWriter(tmp_path) as writer:
        assert (list(writer.orphans), writer.end) == ([hashlib.sha256(b"kept" * 300).hexdigest()], len(whole) - 1024)
    assert pack.read_bytes() == whole


def test_what_cannot_be_read_is_an_error_and_no_unfinished_tail(tmp_path: Path) -> None:
    write(tmp_path, b"kept" * 300)
    file = os.open(tmp_path / "pack-000000.tar", os.O_WRONLY)
    with pytest.raises(OSError, match="descriptor"):
        list(whole_members(file, 0))
    os.close(file)


def test_a_pack_that_lost_bytes_is_not_written_to(tmp_path: Path) -> None:
    write(tmp_path, b"a" * 700)
    (tmp_path / "pack-000000.tar").write_bytes(b"")
    with pytest.raises(PackError, match="shorter than the catalog says"):
        PackWriter(tmp_path, lambda _: 1212)


def test_a_reader_keeps_few_files_open(tmp_path: Path) -> None:
    addresses = write(tmp_path, *(bytes([n]) * 600 for n in range(90)), rotate_at=512)
    reader = Store(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        assert [reader.read(address)[0] for address in addresses] == list(range(90))
    assert len(os.listdir("/proc/self/fd")) - before <= 65
    reader.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pack_taken_in_the_moment_before_it_is_locked_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick: list[Location] = []
    really_open = os.open

    def open_and_be_slow(path: Path, flags: int, mode: int = 0o777) -> int:
        file = really_open(path, flags, mode)
        if flags & os.O_EXCL and not quick:
            monkeypatch.undo()
            quick.extend(write(tmp_path, b"quick"))
        return file

    monkeypatch.setattr(os, "open", open_and_be_slow)
    with PackWriter(tmp_path) as slow:
        assert slow.pack == "pack-000001.tar"
    assert Store(tmp_path).read(quick[0]) == b"quick"


@pytest.mark.parametrize("pack", ["../pack-000000.tar", "/etc/passwd", "", "..", "a\0b"])
def test_a_reader_stays_in_its_folder(tmp_path: Path, pack: str) -> None:
    with pytest.raises(PackError):
        Store(tmp_path).read(Location(pack, 0, 1))


def test_reading_past_the_end_is_an_error(tmp_path: Path) -> None:
    (address,) = write(tmp_path, b"one")
    with pytest.raises(PackError, match="has no bytes at 512"):
        Store(tmp_path).read(Location(address.file, address.offset, 10**6))
    for offset, length in ((-1, 1), (0, -1), (0, 2**62)):
        with pytest.raises(PackError, match="has no bytes"):
            Store(tmp_path).read(Location(address.file, offset, length))
    with pytest.raises(PackError, match="cannot read .*No such file"):
        Store(tmp_path).read(Location("pack-000009.tar", 0, 1))


def test_a_full_disk_leaves_the_pack_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, b"kept" * 500)
    before = (tmp_path / "pack-000000.tar").read_bytes()
    script = f"""
import resource, signal
from pathlib import Path
from holotype.errors import PackError
from holotype.store.packs import PackWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
with PackWriter(Path({str(tmp_path)!r})) as writer:
    writer.append("x.jpg", bytes(100_000))
    try:
        writer.commit()
    except PackError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "the disk is full" in done.stdout
    assert (tmp_path / "pack-000000.tar").read_bytes() == before
