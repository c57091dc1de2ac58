module github.com/salesiq-go/salesiq/internal/simulate

go 1.26.0

require (
	github.com/salesiq-go/salesiq v0.1.0
	github.com/salesiq-go/salesiq/examples v0.0.0
	github.com/salesiq-go/salesiq/salesiqbolt v0.0.0
	golang.org/x/oauth2 v0.37.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/gofrs/flock v0.13.2 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	github.com/hashicorp/golang-lru/v2 v2.0.7 // indirect
	go.etcd.io/bbolt v1.5.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace (
	github.com/salesiq-go/salesiq => ../..
	github.com/salesiq-go/salesiq/examples => ../../examples
	github.com/salesiq-go/salesiq/salesiqbolt => ../../salesiqbolt
)
