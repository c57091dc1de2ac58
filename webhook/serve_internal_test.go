package webhook

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLateHandlersHaveTenSecondsAtTheEnd(t *testing.T) {
	t.Parallel()
	for takes, want := range map[time.Duration]error{9 * time.Second: nil, 11 * time.Second: context.DeadlineExceeded} {
		synctest.Test(t, func(t *testing.T) {
			late := new(sync.WaitGroup)
			late.Go(func() { time.Sleep(takes) })
			ended, end := context.WithCancel(t.Context())
			end()
			began := time.Now()
			err := shutDown(ended, new(http.Server), late)
			assert.Equal(t, min(takes, 10*time.Second), time.Since(began))
			if want == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, want)
			require.ErrorContains(t, err, "handlers go on")
			late.Wait()
		})
	}
}

// oneConnection is a listener of one connection, which is there already.
type oneConnection struct {
	connections chan net.Conn
	closed      func()
}

func (l oneConnection) Accept() (net.Conn, error) {
	if connection, ok := <-l.connections; ok {
		return connection, nil
	}
	return nil, net.ErrClosed
}

func (l oneConnection) Close() error   { l.closed(); return nil }
func (l oneConnection) Addr() net.Addr { return new(net.TCPAddr) }

func TestDeliveriesUnderWayAreCutAfterTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		connections := make(chan net.Conn, 1)
		connections <- there
		cut := false
		server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			cut = true
		})}
		served := make(chan error, 1)
		go func() {
			served <- server.Serve(oneConnection{connections, sync.OnceFunc(func() { close(connections) })})
		}()
		_, err := io.WriteString(here, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		synctest.Wait()
		began := time.Now()
		require.ErrorIs(t, shutDown(t.Context(), server, new(sync.WaitGroup)), context.DeadlineExceeded)
		assert.Equal(t, 10*time.Second, time.Since(began))
		synctest.Wait()
		assert.True(t, cut)
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		require.NoError(t, here.Close())
	})
}
