package salesiqtest

import (
	"github.com/salesiq-go/salesiq"
)

func listBrands(c *call) (*reply, error) { return list(c, &c.state.brands, nil) }

// brand finds the brand that the path names.
func (c *call) brand() (*salesiq.Brand, error) {
	brand, ok := c.state.brands.get(c.id)
	if !ok {
		return nil, notFound("brand", c.id)
	}
	return brand, nil
}

func getBrand(c *call) (*reply, error) {
	brand, err := c.brand()
	if err != nil {
		return nil, err
	}
	return found(brand)
}

func updateBrand(c *call) (*reply, error) {
	brand, err := c.brand()
	if err != nil {
		return nil, err
	}
	changed := *brand
	if err := patch(&changed, c.body, "id", "departments", "created_at"); err != nil {
		return nil, err
	}
	if err := c.check(requirement{"name", changed.Name == "", ""}); err != nil {
		return nil, err
	}
	*brand = changed
	return found(brand)
}

func listDepartments(c *call) (*reply, error) {
	brand, err := c.brand()
	if err != nil {
		return nil, err
	}
	var departments table[salesiq.Department]
	load(&departments, brand.Departments, func(d *salesiq.Department) string { return d.ID })
	return list(c, &departments, nil)
}
