package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os/exec"
	"runtime"
	"time"
)

// openerTime is how long an opener may take to fail. One that runs on has opened the
// browser, or is it.
const openerTime = 3 * time.Second

// openBrowser opens an address of AWS in the user's browser. The error names the
// opener and not the address, which may be a secret.
func openBrowser(address string) error {
	if err := checkPage(address); err != nil {
		return err
	}
	var c *exec.Cmd
	switch runtime.GOOS {
	case "windows":
		c = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	case "darwin":
		c = exec.Command("open", address)
	default:
		c = exec.Command("xdg-open", address)
	}
	if c.Err != nil {
		return c.Err
	}
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }() // also later, so that it does not stay as a zombie
	timer := time.NewTimer(openerTime)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", c.Args[0], err)
		}
	case <-timer.C:
	}
	return nil
}

// checkPage refuses what is no page of a service: an address of another scheme, and one
// with a user in front of its host, which hides whose host it is. Plain http is for a
// service on this machine.
func checkPage(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("its address cannot be read") // not err, which quotes it
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	switch {
	case u.User != nil:
		return errors.New("its address has a user name in it")
	case u.Hostname() == "":
		return errors.New("its address has no host")
	case u.Scheme != "https" && (u.Scheme != "http" || !ip.IsLoopback()):
		return errors.New("its address is not https")
	}
	return nil
}
