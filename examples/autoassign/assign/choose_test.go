package assign

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/salesiq-go/salesiq"
)

// operator is one who is there, with room for four chats.
func operator(id string, chats int, skills ...string) salesiq.Operator {
	return salesiq.Operator{
		ID: id, Status: salesiq.OperatorOnline, Availability: salesiq.OperatorAvailable,
		ActiveChats: chats, MaxChats: 4, Skills: skills,
	}
}

func changed(o salesiq.Operator, change func(*salesiq.Operator)) salesiq.Operator {
	change(&o)
	return o
}

func TestSkillsFollowTagsAndLeadScore(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		visitor salesiq.Visitor
		want    []string
	}{
		"nothing known: general support":        {salesiq.Visitor{}, []string{generalSupport}},
		"other tags: general support":           {salesiq.Visitor{Tags: []string{"vip"}}, []string{generalSupport}},
		"technical":                             {salesiq.Visitor{Tags: []string{"technical"}}, []string{technicalSupport}},
		"enterprise: sales":                     {salesiq.Visitor{Tags: []string{"enterprise"}}, []string{sales}},
		"a score of 75 is not high yet":         {salesiq.Visitor{LeadScore: 75}, []string{generalSupport}},
		"a score of 76 is":                      {salesiq.Visitor{LeadScore: 76}, []string{sales}},
		"enterprise and a high score ask once":  {salesiq.Visitor{Tags: []string{"enterprise"}, LeadScore: 99}, []string{sales}},
		"technical and enterprise: either will": {salesiq.Visitor{Tags: []string{"enterprise", "technical"}}, []string{technicalSupport, sales}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, row.want, skillsFor(&row.visitor))
		})
	}
}

func TestTheRightOperatorIsChosen(t *testing.T) {
	t.Parallel()
	technical := salesiq.Visitor{Tags: []string{"technical"}}
	both := salesiq.Visitor{Tags: []string{"technical"}, LeadScore: 90}
	for name, row := range map[string]struct {
		visitor   salesiq.Visitor
		operators []salesiq.Operator
		want      string
	}{
		"nobody there": {technical, nil, ""},
		"the one with the skill, although busier": {technical, []salesiq.Operator{
			operator("idle", 0, generalSupport), operator("skilled", 3, technicalSupport),
		}, "skilled"},
		"the least busy of those with the skill": {technical, []salesiq.Operator{
			operator("busy", 3, technicalSupport), operator("calm", 1, technicalSupport), operator("fair", 2, technicalSupport),
		}, "calm"},
		"the first of equals": {technical, []salesiq.Operator{
			operator("first", 1, technicalSupport), operator("second", 1, technicalSupport),
		}, "first"},
		"one of several skills is enough": {both, []salesiq.Operator{
			operator("tech", 2, technicalSupport), operator("seller", 1, sales),
		}, "seller"},
		"nobody has the skill: the least busy of all": {technical, []salesiq.Operator{
			operator("seller", 2, sales), operator("general", 1, generalSupport),
		}, "general"},
		"without skills at all, too": {technical, []salesiq.Operator{operator("new", 0)}, "new"},
		"the one with the skill is full: somebody else": {technical, []salesiq.Operator{
			operator("full", 4, technicalSupport), operator("other", 3, sales),
		}, "other"},
		"all are full": {technical, []salesiq.Operator{operator("full", 4, technicalSupport), operator("over", 5, sales)}, ""},
		"not who is away, busy or offline": {technical, []salesiq.Operator{
			changed(operator("away", 0, technicalSupport), func(o *salesiq.Operator) { o.Status = salesiq.OperatorAway }),
			changed(operator("busy", 0, technicalSupport), func(o *salesiq.Operator) { o.Status = salesiq.OperatorBusy }),
			changed(operator("gone", 0, technicalSupport), func(o *salesiq.Operator) { o.Status = salesiq.OperatorOffline }),
			operator("here", 3, sales),
		}, "here"},
		"not who is unavailable": {technical, []salesiq.Operator{
			changed(operator("lunch", 0, technicalSupport), func(o *salesiq.Operator) { o.Availability = salesiq.OperatorUnavailable }),
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if chosen := choose(&row.visitor, row.operators); chosen != nil {
				got = chosen.ID
			}
			assert.Equal(t, row.want, got)
		})
	}
}
