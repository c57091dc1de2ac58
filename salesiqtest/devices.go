package salesiqtest

import (
	"slices"

	"github.com/salesiq-go/salesiq"
)

var platforms = []salesiq.DevicePlatform{salesiq.PlatformAndroid, salesiq.PlatformIOS, salesiq.PlatformWeb}

func registerDevice(c *call) (*reply, error) {
	var device salesiq.Device
	if err := patch(&device, c.body, "id"); err != nil {
		return nil, err
	}
	switch {
	case device.Token.IsZero():
		return nil, missing("device_token")
	case device.Platform == "":
		return nil, missing("platform")
	case device.OperatorID == "":
		return nil, missing("operator_id")
	case !slices.Contains(platforms, device.Platform):
		return nil, invalid("platform", "must be one of "+join(platforms))
	}
	if _, ok := c.state.operators.get(device.OperatorID); !ok {
		return nil, notFound("operator", device.OperatorID)
	}
	_, taken := c.state.devices.find(func(other *salesiq.Device) bool { return other.Token == device.Token })
	if taken {
		return nil, duplicate("device", "device_token")
	}
	device.ID = c.state.newID("device")
	c.state.devices.put(device.ID, &device)
	return created(device)
}

func unregisterDevice(c *call) (*reply, error) {
	if !c.state.devices.remove(c.id) {
		return nil, notFound("device", c.id)
	}
	return deleted()
}

func sendNotification(c *call) (*reply, error) {
	var notification salesiq.Notification
	if err := patch(&notification, c.body, "id"); err != nil {
		return nil, err
	}
	switch {
	case notification.OperatorID == "":
		return nil, missing("operator_id")
	case notification.Title == "":
		return nil, missing("title")
	case notification.Message == "":
		return nil, missing("message")
	}
	if _, ok := c.state.operators.get(notification.OperatorID); !ok {
		return nil, notFound("operator", notification.OperatorID)
	}
	notification.ID = c.state.newID("notification")
	c.state.notifications.put(notification.ID, &notification)
	return created(notification)
}
