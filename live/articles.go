package live

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"github.com/salesiq-go/salesiq"
	"github.com/salesiq-go/salesiq/internal/wire"
)

// ArticlesService handles the articles of the knowledge base.
type ArticlesService service

// ArticleCategoriesService handles the categories of articles.
type ArticleCategoriesService service

// Article is one article.
//
// Source: [V] get-articles-details-v2.html.
type Article struct {
	ID           string       `json:"id"`
	Title        string       `json:"title"`
	Content      string       `json:"content"` // HTML.
	Published    bool         `json:"published"`
	Enabled      bool         `json:"enabled"`
	Category     Ref          `json:"category"`
	DepartmentID string       `json:"department_id"`
	Creator      Ref          `json:"creator"`
	Modifier     Ref          `json:"modifier"`
	Stats        ArticleStats `json:"stats"`
	CreatedAt    time.Time    `json:"created_time"`
	ModifiedAt   time.Time    `json:"modified_time"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ArticleStats counts what happened to an article.
//
// Source: [V] get-articles-details-v2.html, stats.
type ArticleStats struct {
	Viewed   int `json:"viewed"`
	Used     int `json:"used"`
	Liked    int `json:"liked"`
	Disliked int `json:"disliked"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ArticleCreate describes a new article.
//
// Source: [V] create-articles-v2.html. A published connector sends published as a
// bool; the page's sample sends a text.
type ArticleCreate struct {
	DepartmentID string   `json:"department_id"` // Required.
	CategoryID   string   `json:"category_id"`   // Required.
	Title        string   `json:"title"`         // Required.
	Content      string   `json:"content"`       // Required, HTML.
	Published    TextBool `json:"published"`     // Sent in any case.

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

func (p *ArticleCreate) validate() error {
	return required("department_id", p.DepartmentID, "category_id", p.CategoryID, "title", p.Title, "content", p.Content)
}

// ArticleUpdate changes an article; fields left zero stay as they are.
//
// Source: [V] update-articles-details-v2.html.
type ArticleUpdate struct {
	DepartmentID salesiq.Opt[string]   `json:"department_id,omitzero"`
	CategoryID   salesiq.Opt[string]   `json:"category_id,omitzero"`
	Title        salesiq.Opt[string]   `json:"title,omitzero"`
	Content      salesiq.Opt[string]   `json:"content,omitzero"` // HTML.
	Published    salesiq.Opt[TextBool] `json:"published,omitzero"`
	Enabled      salesiq.Opt[bool]     `json:"enabled,omitzero"`

	// Extra is sent beside the other fields.
	Extra map[string]any `json:",embed"`
}

// ArticleListParams narrows a list of articles; zero fields do not.
//
// Source: [V] get-articles-list-v2.html.
type ArticleListParams struct {
	DepartmentID string
	CategoryID   string
	Mode         string // "publish" or "draft".
	SortBy       string // "views", "likes", "dislikes" or "used".
	Order        string // "ascending" or "descending".
	Page         int    // First page; 1 by default.
	Limit        int    // Per page, up to 99; 10 by default, and 99 for All.
}

func (p *ArticleListParams) query() query {
	q := query{}
	if p == nil {
		return q
	}
	q.set("department_id", p.DepartmentID)
	q.set("category_id", p.CategoryID)
	q.set("mode", p.Mode)
	q.set("sort_by", p.SortBy)
	q.set("order", p.Order)
	q.number("page", p.Page)
	q.number("limit", p.Limit)
	return q
}

// List returns one page of articles. A nil params lists all of them.
//
//   - Endpoint: GET /api/v2/{screen_name}/articles [S]; scope SalesIQ.articles.READ.
//   - Source: [V] get-articles-list-v2.html.
func (s *ArticlesService) List(ctx context.Context, params *ArticleListParams, opts ...salesiq.CallOption) ([]Article, error) {
	return list[Article](ctx, s.owner(), "Articles.List", base+"/articles", params.query(), opts)
}

// All iterates over every article that matches params.
//
// Endpoint, scope and source are those of List.
func (s *ArticlesService) All(ctx context.Context, params *ArticleListParams, opts ...salesiq.CallOption) iter.Seq2[*Article, error] {
	return iterate[Article](ctx, s.owner(), "Articles.All", base+"/articles", params.query(), PageAndLimit(), opts)
}

// Get returns one article.
//
//   - Endpoint: GET /api/v2/{screen_name}/articles/{id} [S]; scope
//     SalesIQ.articles.READ.
//   - Source: [V] get-articles-details-v2.html.
func (s *ArticlesService) Get(ctx context.Context, id string, opts ...salesiq.CallOption) (*Article, error) {
	return get[Article](ctx, s.owner(), "Articles.Get", base+"/articles/{id}", nil, opts, id)
}

// Create adds an article.
//
//   - Endpoint: POST /api/v2/{screen_name}/articles [S]; scope
//     SalesIQ.articles.CREATE.
//   - Source: [V] create-articles-v2.html.
func (s *ArticlesService) Create(ctx context.Context, article *ArticleCreate, opts ...salesiq.CallOption) (*Article, error) {
	return call[Article](ctx, s.owner(), "Articles.Create", http.MethodPost, base+"/articles", article, opts)
}

// Update changes an article.
//
//   - Endpoint: PUT /api/v2/{screen_name}/articles/{id} [S]; scope
//     SalesIQ.articles.UPDATE.
//   - Source: [V] update-articles-details-v2.html.
func (s *ArticlesService) Update(ctx context.Context, id string, update *ArticleUpdate, opts ...salesiq.CallOption) (*Article, error) {
	return call[Article](ctx, s.owner(), "Articles.Update", http.MethodPut, base+"/articles/{id}", update, opts, id)
}

// Delete removes an article.
//
//   - Endpoint: DELETE /api/v2/{screen_name}/articles/{id} [S]; scope
//     SalesIQ.articles.DELETE.
//   - Source: [V] delete-articles-details-v2.html, which shows no answer.
func (s *ArticlesService) Delete(ctx context.Context, id string, opts ...salesiq.CallOption) error {
	return send(ctx, s.owner(), "Articles.Delete", http.MethodDelete, base+"/articles/{id}", nil, opts, id)
}

// ArticleCategory groups articles.
//
// Source: [V] create-article-categories-v2.html.
type ArticleCategory struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Default bool   `json:"is_default"`
	Order   int    `json:"order"`

	// Extra holds the fields that this version of the package does not know.
	Extra map[string]json.RawMessage `json:",embed"`
}

// categoryPages is how categories of articles are paged. [T] a published connector.
var categoryPages = PageStyle{Index: "index", First: 0, Size: "limit", PerPage: 20}

// All iterates over the categories.
//
//   - Endpoint: GET /api/v2/{screen_name}/articlecategories [T]; scope
//     SalesIQ.articles.READ [I].
//   - Source: [T] a published connector.
func (s *ArticleCategoriesService) All(ctx context.Context, opts ...salesiq.CallOption) iter.Seq2[*ArticleCategory, error] {
	return iterate[ArticleCategory](ctx, s.owner(), "ArticleCategories.All", base+"/articlecategories", nil, categoryPages, opts)
}

// Create adds a category.
//
//   - Endpoint: POST /api/v2/{screen_name}/articlecategories [S]; scope
//     SalesIQ.articles.CREATE.
//   - Source: [V] create-article-categories-v2.html.
func (s *ArticleCategoriesService) Create(ctx context.Context, name string, opts ...salesiq.CallOption) (*ArticleCategory, error) {
	return call[ArticleCategory](ctx, s.owner(), "ArticleCategories.Create", http.MethodPost, base+"/articlecategories", named{name}, opts)
}

// Update renames a category.
//
//   - Endpoint: PUT /api/v2/{screen_name}/articlecategories/{id} [S]; scope
//     SalesIQ.articles.UPDATE.
//   - Source: [V] update-article-categories-v2.html.
func (s *ArticleCategoriesService) Update(ctx context.Context, id, name string, opts ...salesiq.CallOption) (*ArticleCategory, error) {
	return call[ArticleCategory](ctx, s.owner(), "ArticleCategories.Update", http.MethodPut, base+"/articlecategories/{id}", named{name}, opts, id)
}

// named is the body of calls that give a name.
type named struct {
	Name string `json:"name"`
}

func (n named) validate() error { return required("name", n.Name) }

// MarshalJSON writes a with its Extra beside the other members.
func (a Article) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Article) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a ArticleStats) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *ArticleStats) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes p with its Extra beside the other members.
func (p ArticleCreate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&p) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *ArticleCreate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, p) }

// MarshalJSON writes a with its Extra beside the other members.
func (a ArticleUpdate) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *ArticleUpdate) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }

// MarshalJSON writes a with its Extra beside the other members.
func (a ArticleCategory) MarshalJSON() ([]byte, error) { return wire.MarshalObject(&a) }

// UnmarshalJSON reads what MarshalJSON writes.
func (a *ArticleCategory) UnmarshalJSON(data []byte) error { return wire.UnmarshalObject(data, a) }
