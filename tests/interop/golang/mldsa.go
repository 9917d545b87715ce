package main

import (
	"bytes"
	"crypto/mldsa"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A key of type 0x06 (c2sp.org/tlog-cosignature): ML-DSA-44.
type latticeKey struct {
	name string
	id   []byte
	key  *mldsa.PublicKey
}

func parseLatticeKey(text string) (*latticeKey, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	id, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return nil, err
	}
	bytes, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, err
	}
	if len(bytes) == 0 || bytes[0] != 0x06 {
		return nil, errors.New("not a key of type 0x06")
	}
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), bytes[1:])
	if err != nil {
		return nil, err
	}
	return &latticeKey{parts[0], binary.BigEndian.AppendUint32(nil, uint32(id)), key}, nil
}

// The signed bytes: label, name, time, origin, from 0 to the size, root.
func (k *latticeKey) message(time []byte, origin string, size uint64, root []byte) []byte {
	m := []byte("subtree/v1\n\x00")
	m = append(m, byte(len(k.name)))
	m = append(m, k.name...)
	m = append(m, time...)
	m = append(m, byte(len(origin)))
	m = append(m, origin...)
	m = binary.BigEndian.AppendUint64(m, 0)
	m = binary.BigEndian.AppendUint64(m, size)
	return append(m, root...)
}

// The one line of this key in a checkpoint, judged.
func (k *latticeKey) judge(checkpoint string) error {
	text, signatures, ok := strings.Cut(checkpoint, "\n\n")
	lines := strings.Split(text, "\n")
	if !ok || len(lines) != 3 {
		return errors.New("not a checkpoint")
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != 32 {
		return errors.New("no root")
	}
	for _, line := range strings.Split(signatures, "\n") {
		rest, ok := strings.CutPrefix(line, "\u2014 "+k.name+" ")
		if !ok {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(rest)
		if err != nil || len(blob) < 12 || !bytes.Equal(blob[:4], k.id) {
			continue
		}
		message := k.message(blob[4:12], lines[0], size, root)
		if err := mldsa.Verify(k.key, message, blob[12:], nil); err != nil {
			return err
		}
		blob[len(blob)/2] ^= 1
		if mldsa.Verify(k.key, message, blob[12:], nil) == nil {
			return errors.New("a changed signature is accepted")
		}
		message[len(message)-1] ^= 1
		blob[len(blob)/2] ^= 1
		if mldsa.Verify(k.key, message, blob[12:], nil) == nil {
			return errors.New("another root is accepted")
		}
		return nil
	}
	return errors.New("not signed by " + k.name)
}

// judge mldsa CHECKPOINT VKEY...: each key must have cosigned, and twice a change must be refused.
func mainLattice(args []string) {
	text, err := os.ReadFile(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	for _, vkey := range args[1:] {
		key, err := parseLatticeKey(vkey)
		if err == nil {
			err = key.judge(string(text))
		}
		if err != nil {
			fmt.Println("refused:", err)
			os.Exit(1)
		}
	}
	fmt.Printf("Go: %d ML-DSA-44 cosignatures\n", len(args)-1)
}
