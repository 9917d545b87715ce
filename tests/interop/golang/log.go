// The log as its server publishes it: c2sp.org/tlog-tiles over HTTP, and nothing else read.

package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	// Published sizes whose pairs are compared.
	sizesWanted = 20
	// The longest resource: 256 entries, each of 65,535 bytes behind two of length.
	longest = 256 * (2 + 65535)
)

var errAbsent = errors.New("not found")

// A log at a URL. What was read is kept under its path, so each resource is asked for once.
type server struct {
	url      string
	client   *http.Client
	kept     map[string][]byte
	requests int
	// How many of the resources were partial tiles, at the width asked for.
	partial int
}

func newServer(url string) *server {
	// No proxy of the person who runs this stands between the log and its judge.
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	return &server{url: strings.TrimSuffix(url, "/"), client: client, kept: map[string][]byte{}}
}

func (s *server) get(path string) ([]byte, error) {
	if data, ok := s.kept[path]; ok {
		return data, nil
	}
	s.requests++
	answer, err := s.client.Get(s.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, errAbsent
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	data, err := io.ReadAll(io.LimitReader(answer.Body, longest+1))
	if err != nil {
		return nil, err
	}
	if len(data) > longest {
		return nil, fmt.Errorf("%s: too long", path)
	}
	s.kept[path] = data
	return data, nil
}

// Go's own log has the height in its paths and calls entries data; C2SP does neither.
func path(tile tlog.Tile) string {
	short := "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	return strings.Replace(short, "tile/data/", "tile/entries/", 1)
}

// tile reads at the width asked for, or the full tile where the log has only that: tlog-tiles lets
// it remove partial ones then.
func (s *server) tile(tile tlog.Tile) (data []byte, width int, err error) {
	whole := tile
	whole.W = 1 << height
	before := s.requests
	data, err = s.get(path(tile))
	switch {
	case tile.W == whole.W:
		return data, whole.W, err
	case err == nil:
		s.partial += s.requests - before
		return data, tile.W, nil
	case !errors.Is(err, errAbsent):
		return nil, 0, err
	}
	data, err = s.get(path(whole))
	return data, whole.W, err
}

// tlog.TileReader.
func (s *server) Height() int { return height }
func (s *server) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, width, err := s.tile(tile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path(tile), err)
		}
		if len(data) != width*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", path(tile), len(data))
		}
		all = append(all, data[:tile.W*tlog.HashSize])
	}
	return all, nil
}
func (s *server) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads all of the first `size`.
func (s *server) entries(size int64) ([][]byte, error) {
	var all [][]byte
	for int64(len(all)) < size {
		start := int64(len(all))
		want := int(min(size-start, 1<<height))
		tile := tlog.Tile{H: height, L: -1, N: start >> height, W: want}
		data, width, err := s.tile(tile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path(tile), err)
		}
		for i := range width {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: ends within an entry", path(tile))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			if i < want {
				all = append(all, data[2:end])
			}
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s: more than %d entries", path(tile), width)
		}
	}
	return all, nil
}

// A tree in memory, made from the entries alone.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(m)) {
			return nil, errors.New("not in the tree")
		}
		hashes[i] = m[index]
	}
	return hashes, nil
}

// spread takes `count` of the sizes, from the first to the last.
func spread(sizes []int64, count int) ([]int64, error) {
	if len(sizes) < count {
		return nil, fmt.Errorf("%d published sizes, need %d", len(sizes), count)
	}
	var chosen []int64
	for i := range count {
		chosen = append(chosen, sizes[i*(len(sizes)-1)/(count-1)])
	}
	return chosen, nil
}

// included proves every entry from tiles, and returns the sizes that were published: each ends in
// an epoch leaf.
func included(s *server, tree tlog.Tree, entries [][]byte) ([]int64, error) {
	reader := tlog.TileHashReader(tree, s)
	var published []int64
	for i, entry := range entries {
		index := int64(i)
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		turned := tlog.RecordHash(flip(entry))
		if tlog.CheckRecord(proof, tree.N, tree.Hash, index, turned) == nil {
			return nil, fmt.Errorf("entry %d: accepted with one bit turned", index)
		}
		var leaf struct {
			Leaf string `json:"leaf"`
		}
		if err := json.Unmarshal(entry, &leaf); err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		if leaf.Leaf == "epoch" {
			published = append(published, index+1)
		}
	}
	return published, nil
}

// consistent proves each size to be the beginning of each later one. The roots are those of a tree
// made from the entries; the proofs come from the tiles of the later size, as they were published
// then.
func consistent(s *server, own memory, sizes []int64) (int, error) {
	pairs := 0
	var earlier []tlog.Tree
	for _, size := range sizes {
		root, err := tlog.TreeHash(size, own)
		if err != nil {
			return 0, err
		}
		tree := tlog.Tree{N: size, Hash: root}
		reader := tlog.TileHashReader(tree, s)
		for _, old := range earlier {
			proof, err := tlog.ProveTree(tree.N, old.N, reader)
			if err != nil {
				return 0, fmt.Errorf("%d to %d: %w", old.N, tree.N, err)
			}
			if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
				return 0, fmt.Errorf("%d to %d: %w", old.N, tree.N, err)
			}
			turned := old.Hash
			turned[0] ^= 1
			if tlog.CheckTree(proof, tree.N, tree.Hash, old.N, turned) == nil {
				return 0, fmt.Errorf("%d to %d: accepted another root", old.N, tree.N)
			}
			pairs++
		}
		earlier = append(earlier, tree)
	}
	return pairs, nil
}

// judgeLog judges everything that the server at `url` publishes, of at least `least` entries.
func judgeLog(p *policy, url string, least int64) (string, error) {
	start := time.Now()
	s := newServer(url)
	checkpoint, err := s.get("checkpoint")
	if err != nil {
		return "", err
	}
	tree, err := openCheckpoint(p, checkpoint)
	if err != nil {
		return "", err
	}
	if err := refusesOthers(p, string(checkpoint), tree); err != nil {
		return "", err
	}
	if tree.N < least {
		return "", fmt.Errorf("%d entries, need %d", tree.N, least)
	}

	entries, err := s.entries(tree.N)
	if err != nil {
		return "", err
	}
	published, err := included(s, tree, entries)
	if err != nil {
		return "", err
	}
	sizes, err := spread(published, sizesWanted)
	if err != nil {
		return "", err
	}
	if last := sizes[len(sizes)-1]; last != tree.N {
		return "", fmt.Errorf("signed size %d, last epoch at %d", tree.N, last)
	}

	var own memory
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, own)
		if err != nil {
			return "", err
		}
		own = append(own, hashes...)
	}
	root, err := tlog.TreeHash(tree.N, own)
	if err != nil {
		return "", err
	}
	if root != tree.Hash {
		return "", errors.New("the entries have another root than the checkpoint")
	}
	pairs, err := consistent(s, own, sizes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s at %d: %d signatures; %d of %d entries included; %d pairs of %d sizes "+
		"consistent, %d to %d; %d requests, %d of partial tiles; %.1f s",
		p.log.Name(), tree.N, 1+len(p.witnesses), len(entries), tree.N, pairs, len(sizes), sizes[0],
		sizes[len(sizes)-1], s.requests, s.partial, time.Since(start).Seconds()), nil
}

// refusesOthers checks that the signatures hold for this head only.
func refusesOthers(p *policy, checkpoint string, tree tlog.Tree) error {
	lines := strings.SplitN(checkpoint, "\n", 4)
	other := tree.Hash
	other[31] ^= 1
	for _, changed := range []string{
		strings.Join([]string{lines[0], lines[1], other.String(), lines[3]}, "\n"),
		strings.Join([]string{lines[0], fmt.Sprint(tree.N - 1), lines[2], lines[3]}, "\n"),
		strings.Join([]string{lines[0] + "x", lines[1], lines[2], lines[3]}, "\n"),
	} {
		if _, err := openCheckpoint(p, []byte(changed)); err == nil {
			return fmt.Errorf("accepted a changed checkpoint: %.60q", changed)
		}
	}
	return nil
}
