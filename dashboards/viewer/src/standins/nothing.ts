// Stands in for editors that @grafana/ui imports and the viewer never shows.
const nothing = () => null;
export default nothing;
export const loader = { config() {}, init: () => Promise.resolve({}) };
export const DiffEditor = nothing;
export const Editor = nothing;
export const useMonaco = nothing;
