// The overview of all jobs, in the workspace under "Workbooks".
param location string
param tags { *: string }
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'gem-courier')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'GEM Courier'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}
