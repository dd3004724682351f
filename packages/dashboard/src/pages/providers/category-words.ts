/** Categories whose names are not words yet. */
const words: Readonly<Record<string, string>> = {
  ai: 'AI',
  ats: 'Applicant tracking',
  cms: 'Content management',
  crm: 'CRM',
  'e-commerce': 'E-commerce',
  'e-signature': 'E-signature',
  erp: 'ERP',
  geo: 'Maps and places',
  hris: 'Human resources',
  iot: 'Internet of things',
  mcp: 'MCP',
}

/** `project-management` as `Project management`. */
export function categoryWords(category: string): string {
  return words[category] ?? category.slice(0, 1).toUpperCase() + category.slice(1).replaceAll('-', ' ')
}
