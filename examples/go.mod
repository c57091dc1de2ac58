module github.com/salesiq-go/salesiq/examples

go 1.26.0

require github.com/salesiq-go/salesiq v0.0.0

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
)

replace github.com/salesiq-go/salesiq => ..
