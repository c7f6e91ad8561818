// Package ptytest gives tests a pseudo-terminal, and processes of the test program that
// have it as their terminal. It is for Linux only.
package ptytest
