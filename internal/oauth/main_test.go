package oauth

import (
	"testing"

	"github.com/salesiq-go/salesiq/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
