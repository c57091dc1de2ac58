package salesiqtest

import "github.com/salesiq-go/salesiq"

var platforms = []salesiq.DevicePlatform{salesiq.PlatformAndroid, salesiq.PlatformIOS, salesiq.PlatformWeb}

func (s *state) checkDevice(device *salesiq.Device, sets func(string) bool) error {
	err := check(sets,
		requirement{"device_token", device.Token.IsZero(), ""},
		requirement{"platform", device.Platform == "", ""},
		requirement{"operator_id", device.OperatorID == "", ""},
		isOneOf("platform", device.Platform, platforms))
	if err != nil {
		return err
	}
	if _, err := s.operators.find(device.OperatorID); err != nil {
		return err
	}
	if _, taken := s.devices.first(func(other *salesiq.Device) bool { return other.Token == device.Token }); taken {
		return duplicate("device", "device_token")
	}
	return nil
}

func (s *state) checkNotification(notification *salesiq.Notification, sets func(string) bool) error {
	err := check(sets,
		requirement{"operator_id", notification.OperatorID == "", ""},
		requirement{"title", notification.Title == "", ""},
		requirement{"message", notification.Message == "", ""})
	if err != nil {
		return err
	}
	_, err = s.operators.find(notification.OperatorID)
	return err
}
