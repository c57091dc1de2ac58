package wire

import (
	"cmp"
	"reflect"
	"strings"
	"sync"
)

// # Plans
//
// A plan says how a type is decoded: which member goes into which field, and what is
// in it. It is made once for each type, and saves what the library does for each
// value. The rule is that a plan changes nothing but the time that decoding takes:
//
//   - A plan reads what is usual. It hands any other value to the library, and one
//     with a part that it cannot tell by itself: an escape that is no text, a number
//     of many digits, a member that repeats, a type that decodes itself.
//   - What the library refuses, it is given once more with all that is around it. So
//     errors, and what they leave behind, are always the library's.
//   - A target that holds something already is the library's, since it is merged into.
//   - Structs that are out of the ordinary have no plan, nor has what holds them.
//
// Strings are copies. Answers and events take short ones, such as "active", out of a
// pool, so that one that was seen in the answer to one call may be found again in that
// to another. A pool keeps a few hundred of at most [maxShared] bytes. [Unmarshal],
// which reads tokens and settings, shares none.

// plans is the switch. Everything is decoded without plans after
//
//	go test -ldflags "-X github.com/salesiq-go/salesiq/internal/wire.plans=off" ./...
var plans = "on"

// planKind is how a value is read.
type planKind uint8

const (
	byLibrary planKind = iota
	asString
	asBool
	asInt
	asUint
	asFloat
	asTime
	asText // For UnmarshalText.
	asRaw
	asAny
	asPointer
	asList
	asMap
	asStruct
)

// plan says how a type is decoded.
type plan struct {
	typ  reflect.Type
	kind planKind
	elem *plan // What a pointer, a list or a map holds.

	// Of a struct.
	fields   []planField    // In the order in which they are declared.
	order    int            // Where its part of a decoding's order begins.
	named    map[string]int // Fields by their names.
	folded   map[string]int // Fields by their names in lower case.
	hasUpper bool           // Whether a field's name is not in lower case.
	rest     *planField     // For members that are no field's; nil if they are lost.
	raw      bool           // Whether rest is a map of raw values.
}

type planField struct {
	name  string
	key   string // The name in quotes, and a colon.
	index int
	plan  *plan
}

// maxFields is how many fields a set of them holds.
const maxFields = 128

type fieldSet [maxFields / 64]uint64

// add reports whether a field was not in the set.
func (s *fieldSet) add(i int) bool {
	word, bit := &s[i/64], uint64(1)<<(i%64)
	added := *word&bit == 0
	*word |= bit
	return added
}

func (s *fieldSet) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// planner makes the plans of a type and of all that it holds.
type planner struct {
	plans   map[reflect.Type]*plan
	objects bool    // Whether an object with methods is among them.
	order   []uint8 // See [target].
}

// plan returns nil for a type that is for the library alone. A type that holds
// itself finds the plan that is being made.
func (pl *planner) plan(t reflect.Type) *plan {
	if p, ok := pl.plans[t]; ok {
		return p
	}
	p := &plan{typ: t}
	pl.plans[t] = p
	if !pl.fill(p) {
		return nil
	}
	return p
}

// fill reports whether a plan could be made. Methods come before kinds, as they do for
// the library.
func (pl *planner) fill(p *plan) bool {
	switch t := p.typ; {
	case t == timeType:
		p.kind = asTime
	case t == rawType:
		p.kind = asRaw
	case t == anyType:
		p.kind = asAny
	case twinOf(t) != nil:
		pl.objects = true
		return pl.fillStruct(p)
	case t == numberType, t.Kind() == reflect.Interface, decodesJSON(t):
	case t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(textType):
		p.kind = asText
	default:
		return pl.fillByKind(p)
	}
	return true
}

var scalarKinds = map[reflect.Kind]planKind{
	reflect.String: asString, reflect.Bool: asBool, reflect.Float32: asFloat, reflect.Float64: asFloat,
	reflect.Int: asInt, reflect.Int8: asInt, reflect.Int16: asInt, reflect.Int32: asInt, reflect.Int64: asInt,
	reflect.Uint: asUint, reflect.Uint8: asUint, reflect.Uint16: asUint, reflect.Uint32: asUint, reflect.Uint64: asUint,
}

func (pl *planner) fillByKind(p *plan) bool {
	t := p.typ
	switch t.Kind() {
	case reflect.Struct:
		return pl.fillStruct(p)
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer {
			return isScalar(t.Elem().Elem())
		}
		p.kind = asPointer
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return true // For the library: it is written in base64.
		}
		p.kind = asList
	case reflect.Map:
		p.kind = asMap
		if t.Key() != reflect.TypeFor[string]() {
			p.kind = byLibrary
			return isScalar(t.Elem())
		}
	case reflect.Array:
		return isScalar(t.Elem())
	default:
		p.kind = scalarKinds[t.Kind()]
		return true
	}
	p.elem = pl.plan(t.Elem())
	return p.elem != nil
}

// isScalar reports whether a type has no members whose names could be misspelled.
func isScalar(t reflect.Type) bool { return scalarKinds[t.Kind()] != byLibrary }

// fillStruct takes over the fields of a struct.
func (pl *planner) fillStruct(p *plan) bool {
	p.kind, p.named, p.folded = asStruct, map[string]int{}, map[string]int{}
	for i := range p.typ.NumField() {
		field := p.typ.Field(i)
		tag, tagged := field.Tag.Lookup("json")
		isIgnored := tag == "-" || !tagged && !field.IsExported() && !field.Anonymous
		if !isIgnored && !pl.take(p, i, field, tag) {
			return false
		}
	}
	hasMembers := len(p.fields) > 0 || p.rest != nil || p.typ.NumField() == 0
	if !hasMembers || len(p.fields) > maxFields {
		return false
	}
	p.order = len(pl.order)
	for i := range len(p.fields) + 1 {
		pl.order = append(pl.order, uint8(i))
	}
	return true
}

// take refuses a field that is out of the ordinary.
func (pl *planner) take(p *plan, index int, field reflect.StructField, tag string) bool {
	name, options, _ := strings.Cut(tag, ",")
	switch {
	case field.Anonymous || !field.IsExported():
		return false
	case options == "embed":
		return name == "" && p.rest == nil && pl.fillRest(p, index)
	case options == "" || options == "omitzero" || options == "omitempty":
		return pl.addField(p, cmp.Or(name, field.Name), index)
	}
	return false
}

// addField refuses a name that means two fields, or that is not as names are.
func (pl *planner) addField(p *plan, name string, index int) bool {
	lower := strings.ToLower(name)
	if _, taken := p.folded[lower]; taken || strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz0123456789_-.") != "" {
		return false
	}
	of := pl.plan(p.typ.Field(index).Type)
	if of == nil {
		return false
	}
	p.named[name], p.folded[lower] = len(p.fields), len(p.fields)
	p.hasUpper = p.hasUpper || name != lower
	p.fields = append(p.fields, planField{name, `"` + name + `":`, index, of})
	return true
}

func (pl *planner) fillRest(p *plan, index int) bool {
	field := p.typ.Field(index)
	of := pl.plan(field.Type)
	if of == nil || of.kind != asMap {
		return false
	}
	p.rest = &planField{name: field.Name, index: index, plan: of}
	p.raw = field.Type == rawMapType
	return true
}

// target is how a type is decoded that a caller asks for.
type target struct {
	plan    *plan // Nil if it is for the library alone.
	objects bool  // Whether the library may meet objects with methods.
	lenient lenient

	// For each struct, which field comes first, and which comes after each of its fields.
	order []uint8
}

// asked is a type that a caller asks for: an envelope, and what is wanted in it.
type asked struct{ typ, wanted reflect.Type }

var targets sync.Map // asked to *target

// targetOf returns how a type is decoded.
func targetOf(typ, wanted reflect.Type) *target {
	if found, ok := targets.Load(asked{typ, wanted}); ok {
		return found.(*target) //nolint:forcetypeassert // Nothing else is stored.
	}
	pl := planner{plans: map[reflect.Type]*plan{}}
	made := &target{plan: pl.plan(typ), lenient: newLenient(typ, wanted)}
	made.objects, made.order = pl.objects || made.plan == nil, pl.order
	found, _ := targets.LoadOrStore(asked{typ, wanted}, made)
	return found.(*target) //nolint:forcetypeassert // Nothing else is stored.
}
