package salesiq_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/salesiq-go/salesiq/internal/testkit"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// Whatever arrives for whichever type, it is decoded to the bit as the library does.
func TestPlansChangeNothingForAnyType(t *testing.T) {
	t.Parallel()
	tries := 150
	if testkit.RaceEnabled {
		tries = 20
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for _, kind := range plannedTypes(t) {
		for range tries {
			assertNoDifference(t, kind, testkit.OddJSON(dice, kind))
		}
	}
}

func FuzzPlansChangeNothing(f *testing.F) {
	kinds := plannedTypes(f)
	dice := rand.New(rand.NewPCG(3, 4))
	for i, kind := range kinds {
		f.Add(uint8(i), testkit.OddJSON(dice, kind))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		assertNoDifference(t, kinds[int(which)%len(kinds)], body)
	})
}

// plannedTypes are all exported structs that keep unknown members, in a fixed order.
func plannedTypes(t testing.TB) (kinds []reflect.Type) {
	t.Helper()
	kept := keptTypes(t)
	names := make([]string, 0, len(kept))
	for name := range kept {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		kinds = append(kinds, kept[name])
	}
	return kinds
}

func assertNoDifference(t *testing.T, kind reflect.Type, body []byte) {
	t.Helper()
	for _, lenient := range []bool{false, true} {
		planned, plain := reflect.New(kind).Interface(), reflect.New(kind).Interface()
		unmarshal := wire.Unmarshal
		if lenient {
			unmarshal = wire.UnmarshalLenient
		}
		copied := append([]byte(nil), body...)
		err := unmarshal(copied, planned)
		clear(copied) // Nothing may be a part of it.
		if want := wire.UnmarshalByLibrary(body, plain, lenient); want != nil {
			require.EqualError(t, err, want.Error(), "%s, lenient %v: %q", kind, lenient, body)
		} else {
			require.NoError(t, err, "%s, lenient %v: %q", kind, lenient, body)
		}
		if !testkit.SameBits(plain, planned) {
			require.Equal(t, plain, planned, "%s, lenient %v: %q", kind, lenient, body)
			require.Fail(t, "the sign of a zero", "%s, lenient %v: %q", kind, lenient, body)
		}
	}
}
