// Sets the stored theme before the first paint; the rest of the theme is js/theme.js.
(() => {
	try {
		const theme = localStorage.getItem('trackerd.theme');
		if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
	} catch {
		/* storage is forbidden: the system's preference stands */
	}
})();
