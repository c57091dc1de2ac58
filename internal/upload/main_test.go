package upload_test

import (
	"testing"

	"github.com/salesiq-go/salesiq/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
