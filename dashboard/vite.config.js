import { defineConfig } from "vite";

// The built files are the same on every machine: names come from contents, nothing from the clock or the path.
export default defineConfig({
  base: "/ui/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    target: "es2021",
    outDir: "dist",
    emptyOutDir: true,
    assetsDir: "assets",
    // The policy of the page allows no `data:` scripts or styles, and small files are cheap over one connection.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // One file: fewer requests before the first paint, and the order of rules is the order of imports.
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { index: "index.html", callback: "callback.html" },
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
  server: {
    // `npm run dev` beside a server in development mode.
    proxy: { "/v1": process.env.COFFER_ADDR ?? "http://127.0.0.1:8200" },
  },
});
