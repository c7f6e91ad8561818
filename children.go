package awsauth

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"runtime"
	"sync"
	"weak"
)

// roleKey stands for a role and everything it is assumed with.
type roleKey [sha256.Size]byte

// key is a digest over all fields, each with its length before it, so that no
// two specs run into one.
func (r *roleSpec) key() (k roleKey) {
	h := sha256.New()
	hashStrings(h, r.arn.String(), r.sessionName, r.duration.String(), r.externalID, r.sourceIdentity, r.policy)
	hashStrings(h, r.policyARNs...)
	for _, tags := range []map[string]string{r.tags, r.transitive} {
		for _, key := range sortedKeys(tags) {
			hashStrings(h, key, tags[key])
		}
		hashStrings(h) // the end of this map
	}
	h.Sum(k[:0])
	return k
}

func hashStrings(h hash.Hash, fields ...string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(fields)))
	h.Write(n[:])
	for _, field := range fields {
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		h.Write(n[:])
		h.Write([]byte(field))
	}
}

// children are the sessions assumed from one, for as long as somebody else
// holds them: a thousand sessions that were dropped leave nothing behind.
type children struct {
	mu   sync.Mutex
	byID map[roleKey]weak.Pointer[Session]
}

// find is the session for a key, or nil.
func (c *children) find(key roleKey) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[key].Value()
}

// add remembers child, and returns the one to use: another caller's, if it
// came first.
func (c *children) add(key roleKey, child *Session) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first := c.byID[key].Value(); first != nil {
		return first
	}
	if c.byID == nil {
		c.byID = map[roleKey]weak.Pointer[Session]{}
	}
	c.byID[key] = weak.Make(child)
	runtime.AddCleanup(child, c.forget, key)
	return child
}

// forget drops the entry of a session that is gone, unless it has a successor.
func (c *children) forget(key roleKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.byID[key]; ok && p.Value() == nil {
		delete(c.byID, key)
	}
}
