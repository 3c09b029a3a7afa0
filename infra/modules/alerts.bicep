// Who is told of what. Each query is a file of ../queries; a test holds them to what the app logs.
param location string
param tags object
param appName string
param workspaceId string
param topicId string
param email string
param silentAfter string
param waitingMinutes int

// A query gives one row when there is something to tell, else none; "silent" needs no exception.
var rules = [
  {
    name: 'no-successful-tick'
    says: 'No tick has ended well in three schedules: nobody asks GEM. Look at the app\'s log, then at doctor.'
    severity: 1
    query: loadTextContent('../queries/no-successful-tick.kql')
    window: silentAfter
    every: 'PT5M'
  }
  {
    name: 'gem-refuses'
    says: 'GEM refuses key or token, so ticks stop. Rotate the key or mend the identity.'
    severity: 1
    query: loadTextContent('../queries/gem-refuses.kql')
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    name: 'function-failures'
    says: 'Function runs failed.'
    severity: 2
    query: loadTextContent('../queries/function-failures.kql')
    window: 'PT30M'
    every: 'PT15M'
  }
  {
    name: 'poison-queue'
    says: 'Messages failed five times and lie in a poison queue. The sweep raises their tickets again; mend the cause, then: python -m gem_core poison replay.'
    severity: 2
    query: loadTextContent('../queries/poison-queue.kql')
    window: 'PT15M'
    every: 'PT15M'
  }
  {
    name: 'jobs-past-deadline'
    says: 'Jobs were given up: older than the deadline, or unknown to GEM for too long.'
    severity: 2
    query: loadTextContent('../queries/jobs-past-deadline.kql')
    window: 'PT1H'
    every: 'PT1H'
  }
  {
    name: 'manifests-waiting'
    says: 'Jobs settled longer ago than an output may take to appear, and their manifest was not sent. Look at deliver_results.'
    severity: 1
    query: loadTextContent('../queries/manifests-waiting.kql')
    window: 'P1D'
    every: 'PT30M'
  }
  {
    name: 'gem-drifted'
    says: 'GEM answers with words or fields that its documentation does not have.'
    severity: 2
    query: loadTextContent('../queries/gem-drifted.kql')
    window: 'PT1H'
    every: 'PT1H'
  }
]

var metrics = [
  { name: 'events-dead-lettered', metric: 'DeadLetteredCount' }
  { name: 'events-dropped', metric: 'DroppedEventCount' }
]

resource team 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-gem-courier'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'gemcourier'
    emailReceivers: [{ name: 'operator', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'alert-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'GEM Courier: ${rule.name}'
    description: rule.says
    enabled: true
    severity: rule.severity
    scopes: [workspaceId]
    windowSize: rule.window
    evaluationFrequency: rule.every
    // The tables do not exist before the first log line.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: replace(replace(rule.query, '{app}', appName), '{waiting}', '${waitingMinutes}m')
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(email) ? [] : [team.id] }
  }
}]

resource eventAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for item in metrics: {
  name: 'alert-${item.name}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid could not deliver tickets. The sweep raises them again; mend the subscription: azd hooks run postdeploy.'
    enabled: true
    severity: 2
    scopes: [topicId]
    windowSize: 'PT15M'
    evaluationFrequency: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: item.metric
          metricName: item.metric
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: empty(email) ? [] : [{ actionGroupId: team.id }]
  }
}]
