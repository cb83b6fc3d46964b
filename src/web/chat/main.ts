import { createApp } from 'vue';
import ChatPage from './ChatPage.vue';
import { isLargeText, setLargeText } from './large-text.ts';
import './chat.css';

setLargeText(isLargeText());

createApp(ChatPage).mount('#app');
