package diskcache_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mountDisk mounts a disk of 64 KiB, or skips where that needs root.
func mountDisk(t *testing.T) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("a disk can only be mounted by root: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// TestSmallDisk fills a disk, and makes it read-only.
func TestSmallDisk(t *testing.T) {
	dir := mountDisk(t)
	h := openHouse(dir, nil)
	h.get(t, "ASIAFIRST")
	h.assertTold(t)

	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, bytes.Repeat([]byte("x"), 128<<10), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	full := openHouse(dir, nil)
	assert.Equal(t, "ASIAFIRST", full.get(t, "ASIASECOND").AccessKeyID, "what is there can be read")
	require.NoError(t, os.WriteFile(h.file(".json"), []byte("damaged"), 0o600))
	assert.Equal(t, "ASIATHIRD", full.get(t, "ASIATHIRD").AccessKeyID)
	lines := full.take()
	require.Len(t, lines, 2, "%q", lines)
	assert.Contains(t, lines[1], "no space left")
	require.NoError(t, os.Remove(filler))
	full.get(t, "ASIAFOURTH")
	assertKept(t, dir, "ASIAFOURTH")

	require.NoError(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	frozen := openHouse(dir, nil)
	assert.Equal(t, "ASIAFOURTH", frozen.get(t, "ASIAFIFTH").AccessKeyID)
	frozen.assertTold(t)
	frozen.Drop(t.Context(), testKey, "ASIAFOURTH")
	frozen.assertTold(t, "read-only")
	_, err := frozen.Clear(t.Context())
	assert.ErrorIs(t, err, syscall.EROFS)

	missing := openHouse(filepath.Join(dir, "sub"), nil)
	missing.get(t, "ASIAFIRST")
	missing.assertTold(t, "directory", "read-only")
}
